// Runs of the packaged functions with a Pebble that asks for all that the protocol has: bound accounts,
// profiles, chains, renewal windows, and every fifth nonce refused.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { locate } from './parts/locate.ts';
import { type Pebble, startPebble, strictPebble } from './parts/pebble.ts';
import { freePort } from './parts/process.ts';
import { requestOk } from './parts/request.ts';
import { logged, SandboxHarness } from './sandbox-harness.ts';

const lacks = locate('pebble') ? undefined : 'run test/real/install pebble';
const name =
  'a run with a Pebble that binds accounts and refuses one nonce in five (PEBBLE_WFE_NONCEREJECT=20)';

describe.skipIf(lacks !== undefined)(lacks === undefined ? name : `${name}: ${lacks}`, () => {
  const eab = { kid: 'customer-7', hmacKey: randomBytes(32).toString('base64url') };
  const secret = 'certrelay/eab/pebble';
  let pebble: Pebble;
  let harness: SandboxHarness;
  /** Common names, the default chain's first. */
  let roots: readonly string[];

  beforeAll(async () => {
    const dnsPort = await freePort();
    pebble = await startPebble(strictPebble(`127.0.0.1:${dnsPort}`, eab));
    roots = (await pebble.roots()).map((pem) => readCertificate(pem).commonName ?? '');
    harness = await SandboxHarness.start({ realAuthority: pebble, dnsPort, issuer: { eab: { secret } } });
    await harness.want('plain');
    await harness.want('special', { issuer: 'special' });
    await harness.addIssuers({ special: { profile: 'shortlived', preferredChain: roots[2] } });
  });
  afterAll(async () => {
    await harness?.stop();
    await pebble?.stop();
  });

  test('EAB: nothing is ordered before the binding is where the inventory says, and then the account is bound', async () => {
    const { error } = await harness.issue('plain');
    expect(error?.errorMessage).toContain(secret);
    await harness.sandbox.keepSecrets({ [secret]: JSON.stringify(eab) });
    const bound = await harness.issue('plain', { force: true });
    expect(bound.answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    expect(logged(bound, 'account registered')).toHaveLength(1);
  });

  test('a profile and a preferred root: the lifetime is the profile’s, and the chain, of four certificates, leads to that root', async () => {
    expect((await harness.issue('special')).answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    const { notBefore, notAfter } = harness.held('special');
    expect((notAfter.getTime() - notBefore.getTime()) / 86_400_000).toBeCloseTo(6, 3);
    expect(roots).toHaveLength(3);
    expect(topIssuer('special')).toBe(roots[2]);
    expect(topIssuer('plain')).toBe(roots[0]);
  });

  test('ARI: a window that the CA moves to now renews at the next pass, and its explanation is in log and report', async () => {
    // Pebble finds no certificate to replace whose serial number has a 00 before it in DER: one in 256.
    while (harness.held('plain').serial.startsWith('00')) await harness.issue('plain', { force: true });
    const kept = await harness.issue('plain');
    expect(kept.answer).toMatchObject({ certificates: [{ decision: 'keep' }] });
    const before = harness.held('plain').fingerprint;
    const explanationUrl = 'https://ca.example.com/incident/7';
    const hours = (count: number) => new Date(Date.now() + count * 3_600_000).toISOString();
    await moveWindow('plain', {
      suggestedWindow: { start: hours(-2), end: hours(-1) },
      explanationURL: explanationUrl,
    });
    harness.forgetAsking('plain');

    const renewed = await harness.issue('plain');
    expect(renewed.answer).toMatchObject({
      certificates: [{ reason: 'RenewalDue', outcome: 'issued', explanationUrl }],
    });
    expect(logged(renewed, 'CA explained a renewal')).toMatchObject([
      { certificate: 'plain', explanationUrl },
    ]);
    expect(logged(renewed, 'order with replaces refused')).toEqual([]);
    expect(harness.held('plain').fingerprint).not.toBe(before);
    const [after] = Object((await harness.issue('plain')).answer).certificates;
    expect(after).toMatchObject({ decision: 'keep' });
    expect(after).not.toHaveProperty('explanationUrl');
  });

  async function moveWindow(certificate: string, answer: object): Promise<void> {
    const [leaf] = harness.chain(certificate).split(/(?<=-----END CERTIFICATE-----\n)/);
    const json = { certificate: leaf, ariResponse: JSON.stringify(answer) };
    const ca = await readFile(pebble.caFile, 'utf8');
    await requestOk(`${pebble.managementUrl}/set-renewal-info/`, { ca, json });
  }

  function topIssuer(certificate: string): string | undefined {
    const chain = harness.chain(certificate).match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
    expect(chain).toHaveLength(4);
    return readCertificate(chain.at(-1) ?? '').issuer;
  }
});
