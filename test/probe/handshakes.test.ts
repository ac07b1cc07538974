// Which handshakes a probe makes to see the certificate of the right kind, against real TLS servers.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import type { SecureVersion } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createShakeHands } from '../../lib/adapters/tls/handshake.ts';
import type { KeyType } from '../../lib/certificate/spec.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import type { ExpectedCertificate } from '../../lib/policy/serving/handshake.ts';
import { judgeServed } from '../../lib/policy/serving/served.ts';
import type { HandshakeRequest } from '../../lib/ports/probe.ts';
import { showCertificate } from '../../lib/probe/handshakes.ts';
import { type Pair, serveTls, type TlsServer } from '../fakes/tls-server.ts';
import { mintChain } from '../minting/certificates.ts';

const name = 'shop.example.com';
const never = new AbortController().signal;
const kinds = ['rsa', 'rsa again', 'ecdsa', 'ecdsa again', 'rsa of others'] as const;
type Kind = (typeof kinds)[number];
let pairs: ReadonlyMap<Kind, Pair>;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  const validity = { notBefore: new Date('2020-01-01'), notAfter: new Date('2040-01-01') };
  const minted = kinds.map(async (kind) => {
    const domains = [kind.includes('others') ? 'other.example.com' : name];
    return [kind, await mintChain({ ...validity, domains, keyType: typeOf(kind) })] as const;
  });
  pairs = new Map(await Promise.all(minted));
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

function pairOf(kind: Kind): Pair {
  const pair = pairs.get(kind);
  if (!pair) throw new Error(`${kind} was not minted`);
  return pair;
}

function typeOf(kind: Kind): KeyType {
  return kind.startsWith('rsa') ? 'rsa-2048' : 'ecdsa-p256';
}

async function start(
  served: readonly Kind[],
  options: Parameters<typeof serveTls>[3] = {},
): Promise<TlsServer> {
  const server = await serveTls(served.map(pairOf), '127.0.0.1', undefined, options);
  if (!server) throw new Error('this machine has no 127.0.0.1');
  stops.push(() => server.stop());
  return server;
}

/** Probes a port for a certificate: the word, and what each handshake offered. */
async function probe(port: number, kind: Kind, otherwise: Partial<ExpectedCertificate> = {}) {
  const { fingerprint, keyType } = readCertificate(pairOf(kind).chain);
  const expected = { fingerprint, keyType, ...otherwise };
  const shakeHands = createShakeHands({ timeoutMs: 10_000 });
  const offers: string[] = [];
  const noting = (request: HandshakeRequest, signal: AbortSignal) => {
    offers.push(request.protocols?.join() ?? request.keyFamily ?? 'any');
    return shakeHands(request, signal);
  };
  const endpoint = { address: '127.0.0.1', port };
  const outcome = await showCertificate({ ...endpoint, name }, expected, noting, never);
  const { results } = judgeServed(expected, [{ name, endpoint, outcome }]);
  return { word: results[0]?.served, message: results[0]?.message, offers };
}

describe.each<SecureVersion>(['TLSv1.2', 'TLSv1.3'])('%s', (maxVersion) => {
  test.each<[string, readonly Kind[], Kind, string, readonly string[]]>([
    ['its only certificate', ['rsa'], 'rsa', 'served', ['any']],
    ['another one of its type', ['rsa'], 'rsa again', 'stale', ['any']],
    ['one of another type alone', ['rsa'], 'ecdsa', 'stale', ['any', 'ecdsa']],
    ['one of another type alone', ['ecdsa'], 'rsa', 'stale', ['any', 'rsa']],
    ['one of another type, for other names', ['rsa of others'], 'ecdsa', 'mismatch', ['any', 'ecdsa']],
  ])('an address that serves %s (%j; %s wanted) is %s', async (_, served, wanted, word, offers) => {
    const { port } = await start(served, { maxVersion });
    expect(await probe(port, wanted)).toMatchObject({ word, offers });
  });

  test.each([
    {},
    { requestCert: true },
  ])('with both types at one address, each is judged by itself (%j)', async (demands) => {
    const { port } = await start(['rsa', 'ecdsa'], { maxVersion, ...demands });
    const both = [await probe(port, 'rsa'), await probe(port, 'ecdsa')];
    expect(both.map(({ word }) => word)).toEqual(['served', 'served']);
    // One of them is what anybody is shown, and costs one handshake; the other costs two.
    expect(both.flatMap(({ offers }) => offers)).toHaveLength(3);
    for (const wanted of ['rsa again', 'ecdsa again'] as const) {
      const { fingerprint } = readCertificate(pairOf(wanted === 'rsa again' ? 'rsa' : 'ecdsa').chain);
      expect(await probe(port, wanted)).toMatchObject({
        word: 'stale',
        message: expect.stringContaining(fingerprint.slice(0, 16)),
      });
    }
  });
});

test('where the type of the key is unknown, the other type is asked for before it is stale', async () => {
  const { port } = await start(['rsa', 'ecdsa']);
  for (const wanted of ['rsa', 'ecdsa'] as const)
    expect(await probe(port, wanted, { keyType: undefined })).toMatchObject({ word: 'served' });
  expect(await probe(port, 'rsa again', { keyType: undefined })).toMatchObject({ word: 'stale' });
});

test('for a name that is served, a certificate of the right type for other names is no mismatch', async () => {
  const { port } = await start(['ecdsa', 'rsa of others']);
  expect(await probe(port, 'rsa')).toMatchObject({ word: 'stale', offers: ['any', 'rsa'] });
});

test('a proxy that ends the handshakes of clients without ALPN is asked again as a browser asks', async () => {
  const { port } = await start(['rsa', 'ecdsa']);
  const proxy = createServer((client) => {
    client.on('error', () => undefined);
    client.once('data', (hello) => {
      if (!hello.includes('http/1.1')) return client.destroy();
      const server = connect(port, '127.0.0.1');
      server.on('error', () => undefined);
      server.write(hello);
      return client.pipe(server).pipe(client);
    });
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  stops.unshift(async () => void proxy.close());
  const own = (proxy.address() as AddressInfo).port;
  const all = [await probe(own, 'rsa'), await probe(own, 'ecdsa'), await probe(own, 'rsa again')];
  expect(all.map(({ word }) => word)).toEqual(['served', 'served', 'stale']);
  expect(all[0]?.offers.slice(0, 2)).toEqual(['any', 'h2,http/1.1']);
});

test('nobody listens: one handshake', async () => {
  const server = await start(['rsa']);
  await server.stop();
  stops.pop();
  expect(await probe(server.port, 'ecdsa')).toMatchObject({ word: 'unreachable', offers: ['any'] });
});

describe('servers that take turns at one address, one of them with the certificate before,', () => {
  const turns = async (kinds: readonly (readonly Kind[])[]) => {
    const servers = await Promise.all(kinds.map((own) => start(own, { maxVersion: 'TLSv1.2' })));
    let count = 0;
    const balancer = createServer((client) => {
      const server = connect(servers[count++ % servers.length]?.port ?? 0, '127.0.0.1');
      for (const socket of [client, server]) socket.on('error', () => undefined);
      client.pipe(server).pipe(client);
    });
    balancer.listen(0, '127.0.0.1');
    await once(balancer, 'listening');
    stops.unshift(async () => void balancer.close());
    return (balancer.address() as AddressInfo).port;
  };

  test('are found where more than one handshake must show the new one', async () => {
    expect(await probe(await turns([['ecdsa'], ['ecdsa again']]), 'ecdsa'), 'one').toMatchObject({
      word: 'served',
    });
    for (const kinds of [
      [['ecdsa'], ['ecdsa again']],
      [['ecdsa'], ['ecdsa'], ['ecdsa again']],
    ] as const)
      expect(await probe(await turns(kinds), 'ecdsa', { handshakes: 4 })).toMatchObject({ word: 'stale' });
  });

  test('are told apart from one that has a certificate of another type as well', async () => {
    const port = await turns([['ecdsa'], ['rsa', 'ecdsa']]);
    expect(await probe(port, 'ecdsa', { handshakes: 4 })).toMatchObject({ word: 'served' });
  });

  test('are found in good order after as many handshakes as were asked for', async () => {
    const { port } = await start(['rsa', 'ecdsa']);
    expect((await probe(port, 'ecdsa', { handshakes: 4 })).word).toBe('served');
    const { word, offers } = await probe(port, 'rsa', { handshakes: 4 });
    expect([word, offers.filter((offer) => offer === 'rsa').length]).toEqual(['served', 4]);
  });
});
