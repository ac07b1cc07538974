// What a client may rely on from finalize to the downloaded chain, and after (RFC 8555 §7.4, §7.6; RFC
// 9773).
import 'reflect-metadata';
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import * as x509 from '@peculiar/x509';
import { expect, test } from 'vitest';
import { breakSignature, mintSigningRequest } from '../minting/signing-requests.ts';
import type { Harness } from './acme.ts';
import { type RawOrder, readProblem } from './acme-client-raw.ts';
import { prove, settle } from './acme-orders.ts';

/** The promises about certificates. */
export function promiseIssuance(harness: () => Harness): void {
  promiseReplacement(harness);

  test('C04 apex and wildcard in one order, two TXT values at one name, end in a chain that verifies', async () => {
    const { client, newName } = harness();
    const apex = newName();
    const names = [apex, `*.${apex}`];
    const ready = await prove(harness(), client, await client.order(names));
    expect(ready.status).toBe('ready');
    const { csr, publicKey } = await mintSigningRequest(names);
    const { status, url } = await finalize(harness(), ready, csr);
    expect(status).toBe('valid');

    const download = await client.post(url);
    expect(download.headers['content-type']).toMatch(/^application\/pem-certificate-chain/);
    const leaf = verifyChain(download.text, harness().subject.roots);
    expect(leaf.subjectAltName?.split(', ').sort()).toEqual([`DNS:*.${apex}`, `DNS:${apex}`]);
    expect(leaf.publicKey.export({ format: 'der', type: 'spki' })).toEqual(publicKey);
    expect(leaf.ca).toBe(false);
    expect(leaf.keyUsage).toContain('1.3.6.1.5.5.7.3.1');
    expect(leaf.validFromDate.getTime()).toBeLessThan(Date.now());
    expect(leaf.validToDate.getTime()).toBeGreaterThan(Date.now());
    // 63 bits at Pebble; a random number may begin with zeros.
    expect(leaf.serialNumber.length).toBeGreaterThanOrEqual(8);
  });

  test('the download links alternate chains of the same leaf, each of which verifies', async () => {
    const { client } = harness();
    const { url } = await issue(harness(), [harness().newName()]);
    const download = await client.post(url);
    const links = [...(download.headers.link ?? '').matchAll(/<([^>]+)>;\s*rel="alternate"/g)];
    expect(links.length).toBeGreaterThan(0);
    for (const [, link = ''] of links) {
      const alternate = await client.post(link);
      expect(alternate.status).toBe(200);
      expect(alternate.text).not.toBe(download.text);
      const leaf = verifyChain(alternate.text, harness().subject.roots);
      expect(leaf.fingerprint256).toBe(new X509Certificate(download.text).fingerprint256);
    }
  });

  test('a signing request that is refused leaves the order ready, and a good one then finishes it', async () => {
    const { client, newName } = harness();
    const names = [newName(), newName()];
    const [first = ''] = names;
    const order = await prove(harness(), client, await client.order(names));
    const good = await mintSigningRequest(names);
    const differs = ['badCSR', 'unauthorized'];
    const refused: [string, string, readonly string[]][] = [
      ['a name less', (await mintSigningRequest([first])).csr, differs],
      ['a name more', (await mintSigningRequest([...names, newName()])).csr, differs],
      ['another name', (await mintSigningRequest([first, newName()])).csr, differs],
      ['a broken signature', breakSignature(good.csr), ['badCSR']],
      [
        "the account's key",
        (await mintSigningRequest(names, { key: client.key })).csr,
        ['badCSR', 'malformed'],
      ],
      ['no signing request', Buffer.from('nothing').toString('base64url'), ['badCSR', 'malformed']],
    ];
    for (const [what, csr, types] of refused) {
      const answer = await client.post(order.finalize, { csr });
      expect(types, what).toContain(readProblem(answer).type);
      expect((await client.readOrder(order.url)).status, what).toBe('ready');
    }
    expect((await finalize(harness(), order, good.csr)).status).toBe('valid');
    const again = readProblem(await client.post(order.finalize, { csr: good.csr }));
    expect(again).toMatchObject({ status: 403, type: 'orderNotReady' });
  });

  test('another account cannot download the certificate or revoke it', async () => {
    const { client } = harness();
    const { url, leaf } = await issue(harness(), [harness().newName()]);
    const stranger = client.another();
    await stranger.register();
    const revocation = { certificate: leaf.raw.toString('base64url') };
    expect([403, 404]).toContain((await stranger.post(url)).status);
    expect([403, 404]).toContain((await stranger.post(client.directory.revokeCert, revocation)).status);
  });

  test('a certificate is revoked once, with a reason that a subscriber may give', async () => {
    const { client } = harness();
    const { leaf } = await issue(harness(), [harness().newName()]);
    const certificate = leaf.raw.toString('base64url');
    const revoke = (reason: number) => client.post(client.directory.revokeCert, { certificate, reason });
    expect(readProblem(await revoke(99))).toMatchObject({ status: 400, type: 'badRevocationReason' });
    expect((await revoke(4)).status).toBe(200);
    expect(readProblem(await revoke(4))).toMatchObject({ status: 400, type: 'alreadyRevoked' });
  });

  test('a certificate is revoked by whoever signs with its key, and with no other key', async () => {
    const { client, newName } = harness();
    const { privateKey: key } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const { leaf } = await issue(harness(), [newName()], key);
    const revocation = { certificate: leaf.raw.toString('base64url'), reason: 1 };
    const revoke = (by: KeyObject) => {
      const jwk = createPublicKey(by).export({ format: 'jwk' });
      const stranger = client.another();
      return stranger.post(client.directory.revokeCert, revocation, { key: by, header: { jwk } });
    };
    const { privateKey: other } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(readProblem(await revoke(other))).toMatchObject({ status: 403, type: 'unauthorized' });
    expect((await revoke(key)).status).toBe(200);
    expect(readProblem(await revoke(key))).toMatchObject({ status: 400, type: 'alreadyRevoked' });
  });

  test('renewalInfo needs no signature and tells a window within the lifetime, and when to ask again', async () => {
    const { client } = harness();
    const { leaf } = await issue(harness(), [harness().newName()]);
    const answer = await client.fetch('GET', `${client.directory.renewalInfo}/${certIdOf(leaf)}`);
    expect(answer.status).toBe(200);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    const { suggestedWindow } = JSON.parse(answer.text);
    const times = [leaf.validFrom, suggestedWindow.start, suggestedWindow.end, leaf.validTo].map((time) =>
      new Date(time).getTime(),
    );
    expect(times).toEqual([...times].sort((a, b) => a - b));
    const unknown = await client.fetch('GET', `${client.directory.renewalInfo}/AAAA.AAAA`);
    expect([400, 404]).toContain(unknown.status);
  });

  test('an order may replace a certificate once: the second is alreadyReplaced (409)', async () => {
    const { client, newName } = harness();
    const name = newName();
    const { leaf } = await issueReplaceable(harness(), [name]);
    const replaces = certIdOf(leaf);
    const renewal = await prove(harness(), client, await client.order([name], { replaces }));
    const { csr } = await mintSigningRequest([name]);
    expect((await finalize(harness(), renewal, csr)).status).toBe('valid');
    const identifiers = [{ type: 'dns', value: name }];
    const again = await client.post(client.directory.newOrder, { identifiers, replaces });
    expect(readProblem(again)).toMatchObject({ status: 409, type: 'alreadyReplaced' });
  });
}

function promiseReplacement(harness: () => Harness): void {
  test('an order cannot replace the certificate of another account', async () => {
    const { client, newName } = harness();
    const name = newName();
    const { leaf } = await issueReplaceable(harness(), [name]);
    const members = { identifiers: [{ type: 'dns', value: name }], replaces: certIdOf(leaf) };
    const stranger = client.another();
    await stranger.register();
    const answer = await stranger.post(client.directory.newOrder, members);
    expect(readProblem(answer)).toMatchObject({ status: 403, type: 'unauthorized' });
    expect((await client.post(client.directory.newOrder, members)).status).toBe(201);
  });

  test('an order that shares no name with what it replaces, or replaces nothing known, is refused, whatever that is called', async () => {
    const { client, newName } = harness();
    const { leaf } = await issue(harness(), [newName()]);
    const known = certIdOf(leaf);
    for (const replaces of [known, known.replace(/\..*/, '.AAEC'), 'AAAA.AAEC', 'nonsense']) {
      const identifiers = [{ type: 'dns', value: newName() }];
      const answer = await client.post(client.directory.newOrder, { identifiers, replaces });
      expect([400, 404, 500], replaces).toContain(answer.status);
      expect(['malformed', 'serverInternal'], replaces).toContain(readProblem(answer).type);
    }
  });
}

/** Finalizes and waits. @returns the order's last status and its certificate's URL */
async function finalize(
  { client }: Harness,
  order: RawOrder,
  csr: string,
): Promise<{ readonly status: string; readonly url: string }> {
  const answer = await client.post(order.finalize, { csr });
  expect(answer.status, answer.text).toBe(200);
  const settled = await settle(client, order.url, ['ready', 'processing']);
  return { status: settled.status, url: settled.certificate ?? '' };
}

async function issue(
  harness: Harness,
  names: readonly string[],
  key?: KeyObject,
): Promise<{ readonly url: string; readonly leaf: X509Certificate }> {
  const order = await prove(harness, harness.client, await harness.client.order(names));
  const { csr } = await mintSigningRequest(names, { key });
  const { url } = await finalize(harness, order, csr);
  return { url, leaf: new X509Certificate((await harness.client.post(url)).text) };
}

/** One that can be replaced at Pebble, too: it looks for serial numbers without the 00 that DER puts before
 *  one in 256 of its own. */
async function issueReplaceable(harness: Harness, names: readonly string[]): ReturnType<typeof issue> {
  const issued = await issue(harness, names);
  return hasZero(issued.leaf) ? issueReplaceable(harness, names) : issued;
}

/** Checks every signature up to one of the roots. @returns the leaf */
function verifyChain(pem: string, roots: string): X509Certificate {
  const chain = split(pem);
  const [leaf] = chain;
  if (!leaf) throw new Error('no certificate');
  expect(chain.length).toBeGreaterThanOrEqual(2);
  for (const [index, certificate] of chain.entries()) {
    const issuer =
      chain[index + 1] ??
      split(roots).find((root) => certificate.checkIssued(root) && certificate.verify(root.publicKey));
    expect(issuer, `no issuer for ${certificate.subject}`).toBeDefined();
    if (!issuer) continue;
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(issuer.ca).toBe(true);
  }
  return leaf;
}

function split(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** The name by which renewalInfo and `replaces` know a certificate (RFC 9773 §4.1). */
export function certIdOf({ raw, serialNumber }: X509Certificate): string {
  const identifier =
    new x509.X509Certificate(raw).getExtension(x509.AuthorityKeyIdentifierExtension)?.keyId ?? '';
  const serial = hasZero({ serialNumber }) ? `00${serialNumber}` : serialNumber;
  return [identifier, serial].map((hex) => Buffer.from(hex, 'hex').toString('base64url')).join('.');
}

/** Whether DER puts 00 before the serial number, for the high bit of its first byte; Node leaves it out. */
function hasZero({ serialNumber }: Pick<X509Certificate, 'serialNumber'>): boolean {
  return Number.parseInt(serialNumber.slice(0, 2), 16) >= 0x80;
}
