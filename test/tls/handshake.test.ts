// Looking at what a server serves, against real TLS servers on this machine.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createShakeHands } from '../../lib/adapters/tls/handshake.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { serveTls } from '../fakes/tls-server.ts';
import { type MintedChain, mintChain } from '../minting/certificates.ts';

const name = 'shop.example.com';
const never = new AbortController().signal;
const shakeHands = createShakeHands({ timeoutMs: 10_000 });
let pair: MintedChain;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  pair = await mintChain({
    domains: [name, '*.example.org'],
    // Over long ago, by a CA that nobody knows: both are nothing to whoever only compares.
    notBefore: new Date('2020-01-01T00:00:00Z'),
    notAfter: new Date('2020-04-01T00:00:00Z'),
  });
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});
afterAll(() => expect(stops).toEqual([]));

async function start(...args: Parameters<typeof serveTls>) {
  const server = await serveTls(...args);
  if (server) stops.push(() => server.stop());
  return server;
}

/** A server that speaks no TLS. */
async function startPlain(answer: (server: Server) => void): Promise<number> {
  const server = createServer();
  answer(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stops.push(async () => void server.close());
  return (server.address() as AddressInfo).port;
}

test('gives fingerprint, names and end of the leaf, whoever signed it, and asks for the name', async () => {
  const server = await start(pair);
  const { fingerprint, notAfter } = readCertificate(pair.chain);
  expect(await shakeHands({ address: '127.0.0.1', port: server?.port ?? 0, name }, never)).toEqual({
    kind: 'leaf',
    fingerprint,
    names: [name, '*.example.org'],
    notAfter,
    keyType: 'ecdsa-p256',
  });
  expect(server?.asked).toEqual([name]);
});

test('looks at IPv6, and says "unprobed" on a machine without it', async () => {
  const server = await start(pair, '::1');
  const seen = await shakeHands({ address: '::1', port: server?.port ?? 443, name }, never);
  expect(seen.kind).toBe(server ? 'leaf' : 'unprobed');
});

test.each([
  ['of IPv6 is "unprobed"', 'ff02::1', 'unprobed'],
  ['of IPv4, which every machine has, is silent', '224.0.0.1', 'silent'],
])('an address to which no way leads %s', async (_, address, kind) => {
  // No TCP connection leads to many machines at once: the kernel refuses as where it has no route.
  expect(await shakeHands({ address, port: 443, name }, never)).toMatchObject({ kind });
});

test.each([
  ['closes', (socket: { end(): void }) => socket.end()],
  ['resets the connection', (socket: { resetAndDestroy(): void }) => socket.resetAndDestroy()],
])('N07 a server that %s right after the handshake has served its certificate', async (_, greet) => {
  const server = await start(pair, '127.0.0.1', greet);
  expect(await shakeHands({ address: '127.0.0.1', port: server?.port ?? 0, name }, never)).toMatchObject({
    kind: 'leaf',
  });
});

test('a port where nobody listens is silent', async () => {
  const port = await startPlain(() => undefined);
  for (const stop of stops.splice(0)) await stop();
  expect(await shakeHands({ address: '127.0.0.1', port, name }, never)).toEqual({
    kind: 'silent',
    problem: 'ECONNREFUSED',
  });
});

test.each<[string, (server: Server) => void, string]>([
  ['hangs up', (server) => server.on('connection', (socket) => socket.end()), 'ECONNRESET'],
  [
    'speaks something else',
    (server) => server.on('connection', (socket) => socket.end('220 mail.example.com ESMTP\r\n')),
    'ERR_SSL_WRONG_VERSION_NUMBER',
  ],
  [
    'knows no such name (a fatal unrecognized_name, RFC 6066 §3)',
    (server) =>
      server.on('connection', (socket) =>
        socket.once('data', () => socket.end(Buffer.from('15030300020270', 'hex'))),
      ),
    'the server knows no such name (ERR_SSL_TLSV1_UNRECOGNIZED_NAME)',
  ],
])('a server that %s is silent', async (_, answer, problem) => {
  const port = await startPlain((server) => {
    answer(server);
    server.on('connection', (socket) => socket.on('error', () => undefined));
  });
  const seen = await shakeHands({ address: '127.0.0.1', port, name }, never);
  expect(seen).toEqual({ kind: 'silent', problem, isRefused: true });
});

test('a server that takes a connection and then says nothing is silent after the timeout', async () => {
  const port = await startPlain((server) => server.on('connection', (socket) => socket.resume()));
  const seen = await createShakeHands({ timeoutMs: 500 })({ address: '127.0.0.1', port, name }, never);
  expect(seen).toEqual({ kind: 'silent', problem: 'no TLS handshake within 0.5 s' });
});

test('ends with the signal, before a look and during one', async () => {
  const port = await startPlain((server) => server.on('connection', (socket) => socket.resume()));
  const place = { address: '127.0.0.1', port, name };
  const reason = new Error('time is up');
  await expect(shakeHands(place, AbortSignal.abort(reason))).rejects.toBe(reason);
  const ending = new AbortController();
  const look = shakeHands(place, ending.signal);
  ending.abort(reason);
  await expect(look).rejects.toBe(reason);
});
