// Which certificate a server has shown: by the key that is asked for, and where the handshake fails after it.
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { SecureVersion } from 'node:tls';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createShakeHands } from '../../lib/adapters/tls/handshake.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { type Pair, serveTls } from '../fakes/tls-server.ts';
import { type MintedChain, mintChain, mintSelf } from '../minting/certificates.ts';

const name = 'shop.example.com';
const validity = { notBefore: new Date('2020-01-01T00:00:00Z'), notAfter: new Date('2040-01-01T00:00:00Z') };
const never = new AbortController().signal;
let rsa: MintedChain;
let ecdsa: MintedChain;
const stops: (() => Promise<void>)[] = [];
beforeAll(async () => {
  const minting = { domains: [name], ...validity };
  [rsa, ecdsa] = await Promise.all([mintChain({ ...minting, keyType: 'rsa-2048' }), mintChain(minting)]);
});
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

async function start(pairs: readonly Pair[], options: Parameters<typeof serveTls>[3]): Promise<number> {
  const server = await serveTls(pairs, '127.0.0.1', undefined, options);
  if (!server) throw new Error('this machine has no 127.0.0.1');
  stops.push(() => server.stop());
  return server.port;
}

function shake(port: number, hello: object = {}, timeoutMs = 10_000) {
  return createShakeHands({ timeoutMs })({ address: '127.0.0.1', port, name, ...hello }, never);
}

/** What a TLS server says to a client's first flight, changed on its way; the second flight meets `end`. */
async function startBetween(
  port: number,
  end: (client: Socket) => void,
  change: (flight: Buffer) => Buffer = (flight) => flight,
): Promise<number> {
  const between = createServer((client) => {
    const server = connect(port, '127.0.0.1');
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.once('data', (hello) => {
      server.write(hello);
      client.once('data', () => end(client));
    });
    server.on('data', (flight) => client.write(change(flight)));
    client.on('close', () => server.destroy());
  });
  between.listen(0, '127.0.0.1');
  await once(between, 'listening');
  stops.unshift(async () => void between.close());
  return (between.address() as AddressInfo).port;
}

describe.each<SecureVersion>(['TLSv1.2', 'TLSv1.3'])('%s: a server', (maxVersion) => {
  test.each([
    {},
    { requestCert: true },
  ])('with both types shows the one that is asked for (%j)', async (demands) => {
    const port = await start([rsa, ecdsa], { maxVersion, ...demands });
    for (const [keyFamily, { chain }] of [
      ['rsa', rsa],
      ['ecdsa', ecdsa],
    ] as const) {
      const { fingerprint } = readCertificate(chain);
      expect(await shake(port, { keyFamily })).toMatchObject({ kind: 'leaf', fingerprint });
    }
  });

  test('with one type shows it to whoever asks for it or for none, and nothing to others', async () => {
    for (const [pair, own, other] of [
      [rsa, 'rsa', 'ecdsa'],
      [ecdsa, 'ecdsa', 'rsa'],
    ] as const) {
      const port = await start([pair], { maxVersion });
      const { fingerprint } = readCertificate(pair.chain);
      expect(await shake(port)).toMatchObject({ kind: 'leaf', fingerprint });
      expect(await shake(port, { keyFamily: own })).toMatchObject({ kind: 'leaf', fingerprint });
      expect(await shake(port, { keyFamily: other })).toMatchObject({ kind: 'silent', isRefused: true });
    }
  });

  test('that demands a client certificate has shown its own', async () => {
    const seen = await shake(await start([ecdsa], { maxVersion, requestCert: true }));
    expect(seen).toMatchObject({ kind: 'leaf', fingerprint: readCertificate(ecdsa.chain).fingerprint });
    if (maxVersion === 'TLSv1.2') {
      expect(seen).toHaveProperty(
        'remark',
        expect.stringMatching(/ALERT_HANDSHAKE_FAILURE.*client certificate/),
      );
    } else expect(seen).not.toHaveProperty('remark');
  });

  test('that sends its leaf alone is told apart from one that sends the authority, too', async () => {
    const alone = { chain: ecdsa.certificates[0] ?? '', key: ecdsa.key };
    const remark = 'no intermediate certificate comes with it';
    expect(await shake(await start([alone], { maxVersion }))).toMatchObject({ kind: 'leaf', remark });
    expect(await shake(await start([ecdsa], { maxVersion }))).not.toHaveProperty('remark');
    const self = await mintSelf({ domains: [name], ...validity });
    expect(await shake(await start([self], { maxVersion }))).not.toHaveProperty('remark');
  });
});

describe('TLS 1.2: a server that has shown its certificate, and that it has the key,', () => {
  const shown = () => ({ kind: 'leaf', fingerprint: readCertificate(ecdsa.chain).fingerprint });

  test('has served it where it resets the connection', async () => {
    const port = await start([ecdsa], { maxVersion: 'TLSv1.2' });
    const between = await startBetween(port, (client) => client.resetAndDestroy());
    expect(await shake(between)).toMatchObject({ ...shown(), remark: expect.stringContaining('ECONNRESET') });
  });

  test('has served it where it says nothing more', async () => {
    const port = await start([ecdsa], { maxVersion: 'TLSv1.2' });
    const between = await startBetween(port, () => undefined);
    expect(await shake(between, {}, 500)).toMatchObject({
      ...shown(),
      remark: expect.stringContaining('no TLS handshake within 0.5 s'),
    });
  });
});

test('a certificate of which the server has not the key is not shown: nobody can speak to that server', async () => {
  const domains = [name];
  const own = await mintSelf({ domains, ...validity });
  const lengthOf = ({ chain }: { readonly chain: string }) => derOf(chain).length;
  let foreign = await mintSelf({ domains, ...validity });
  while (lengthOf(foreign) !== lengthOf(own)) foreign = await mintSelf({ domains, ...validity });
  const port = await start([own], { maxVersion: 'TLSv1.2' });
  const between = await startBetween(
    port,
    () => undefined,
    (flight) => {
      const at = flight.indexOf(derOf(own.chain));
      return at < 0
        ? flight
        : Buffer.concat([flight.subarray(0, at), derOf(foreign.chain), flight.subarray(at + lengthOf(own))]);
    },
  );
  expect(await shake(between)).toMatchObject({ kind: 'silent', problem: expect.stringMatching(/SIGNATURE/) });
});

test('nor is one that no signature came with, where the handshake fails after it', async () => {
  const port = await start([rsa], { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256', requestCert: true });
  expect(await shake(port)).toMatchObject({ kind: 'silent', isRefused: true });
  const open = await start([rsa], { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' });
  expect(await shake(open), 'where it does not').toMatchObject({ kind: 'leaf' });
});

test('an answer beyond all bounds is no certificate', async () => {
  const domains = (count: number) => Array.from({ length: count }, (_, n) => `n${n}.shop.example.com`);
  for (const [count, problem] of [
    [3_200, 'served a certificate over 64 KB'],
    [6_000, 'ERR_SSL_EXCESSIVE_MESSAGE_SIZE'],
  ] as const) {
    const port = await start([await mintSelf({ domains: domains(count), ...validity })], {});
    expect(await shake(port)).toMatchObject({ kind: 'silent', problem });
  }
});

function derOf(pem: string): Buffer {
  return Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
}
