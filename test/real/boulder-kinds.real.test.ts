// What Let's Encrypt's own server offers beside the ordinary: profiles, and names proved by a record that
// stays.
import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { describeWithBoulder, startBoulderHarness } from './boulder-harness.ts';
import type { OwnBoulder } from './parts/own-boulder.ts';
import { request } from './parts/request.ts';
import { newDomain, type SandboxHarness } from './sandbox-harness.ts';

const hourMs = 3_600_000;
const lasting = newDomain();

/** The name by which the CA goes in CAA records, as its directory tells (RFC 8555 §9.7.6). */
async function identityOf({ directory, caFile }: OwnBoulder): Promise<string> {
  const { body } = await request(directory, { ca: await readFile(caFile, 'utf8') });
  const [identity] = Object(JSON.parse(body)).meta.caaIdentities;
  return String(identity);
}

describeWithBoulder('Boulder with profiles and dns-persist-01', () => {
  let boulder: OwnBoulder;
  let harness: SandboxHarness;
  let stop: () => Promise<void>;

  beforeAll(async () => {
    ({ boulder, harness, stop } = await startBoulderHarness(
      { limits: 'none', features: ['persist'] },
      { lastingRecords: true },
    ));
    for (const profile of ['tlsserver', 'shortlived']) await harness.want(profile, { issuer: profile });
    await harness.want('unknown', { issuer: 'unknown' });
    await harness.want('lasting', { issuer: 'lasting', domains: [lasting, `*.${lasting}`] }, lasting);
    await harness.addIssuers({
      tlsserver: { profile: 'tlsserver' },
      shortlived: { profile: 'shortlived' },
      unknown: { profile: 'gold' },
      lasting: { challenge: 'dns-persist-01', caaIdentity: await identityOf(boulder) },
    });
  });
  afterAll(() => stop?.());

  test.each([
    { profile: 'tlsserver', lifetime: '45 days', hours: 45 * 24, renewal: 2 / 3 },
    { profile: 'shortlived', lifetime: '160 hours', hours: 160, renewal: 1 / 2 },
  ])('$profile gives $lifetime and no common name, and the next pass plans the renewal by that', async ({
    profile,
    hours,
    renewal,
  }) => {
    expect((await harness.issue(profile)).answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    const { notBefore, notAfter, commonName } = harness.held(profile);
    // A certificate is valid through its last second (RFC 5280 §4.1.2.5).
    expect(notAfter.getTime() - notBefore.getTime()).toBe(hours * hourMs - 1000);
    expect(commonName).toBeUndefined();
    expect(harness.state(profile)).toMatchObject({ profile });
    harness.forgetAsking(profile);
    const { answer } = await harness.issue(profile);
    expect(answer).toMatchObject({ certificates: [{ decision: 'keep' }] });
    const wait = Date.parse(Object(answer).certificates[0].renewsAt) - notBefore.getTime();
    // One hundredth before or after, and notBefore is an hour before the CA's own time.
    expect(Math.abs(wait / (hours * hourMs) - renewal)).toBeLessThan(0.02);
  });

  test('a profile that the CA does not offer is refused before an order, with those that it offers', async () => {
    const { error } = await harness.issue('unknown');
    expect(error?.errorMessage).toMatch(/"gold": it offers classic, shortlived, tlsserver/);
  });

  test('dns-persist-01: the record is provisioned once, and a later order, proved anew, writes nothing to Route 53', async () => {
    const before = harness.changes;
    const first = await harness.issue('lasting');
    if (first.error) throw new Error(first.error.errorMessage);
    expect(first.answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    const records = harness.txtSets(lasting);
    expect(records).toMatchObject([{ name: `_validation-persist.${lasting}.` }]);
    expect(JSON.stringify(records)).toContain('; policy=wildcard');
    expect(harness.changes - before).toBe(1);

    // As in a month, when no authorization is valid any more.
    await boulder.ctl('sql', 'UPDATE authz2 SET expires = NOW() - INTERVAL 1 DAY');
    const later = await harness.issue('lasting', { force: true });
    expect(later.answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    const proved = await boulder.ctl(
      'sql',
      `SELECT COUNT(*) FROM authz2 WHERE identifierValue LIKE '%${lasting}' AND expires > NOW() AND attemptedAt IS NOT NULL`,
    );
    expect(proved).toMatch(/\| +2 \|/);
    expect(harness.changes - before).toBe(1);
    expect(harness.txtSets(lasting)).toEqual(records);
  });
});
