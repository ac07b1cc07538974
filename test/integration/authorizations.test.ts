// Renewals before and after a zone has moved away, under each of Let's Encrypt's profiles, through the
// packaged functions: what the CA says of its authorizations tells whether DNS matters.
import { readFile, writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { startQuietSandbox } from '../bench/quiet-sandbox.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import type { Call } from '../sandbox/journal.ts';
import type { HostedZone } from '../sandbox/route53/hosted-zone.ts';
import { prefix, type Sandbox } from '../sandbox/sandbox.ts';

const profiles = ['classic', 'tlsserver', 'shortlived'] as const;
let sandbox: Sandbox;
const zones = new Map<string, HostedZone>();
/** Zones that DNS leads elsewhere for. */
const moved = new Set<string>();

beforeAll(async () => {
  sandbox = await startQuietSandbox({ zones: [] });
  for (const profile of profiles) zones.set(profile, sandbox.route53.createZone(`${profile}-shop.com`));
  sandbox.dns.serve(() =>
    [...moved].map((zone) =>
      fixedZone(`${zone}.`, [{ name: `${zone}.`, type: 'NS', data: 'ns1.elsewhere.example' }]),
    ),
  );
  await ask(Object.fromEntries(profiles.map((profile) => [profile, profile])));
  const { calls, answer } = await issue();
  expect(answer).toMatchObject({ summary: { issued: 3 } });
  expect(calls).not.toEqual([]);
});
afterAll(() => sandbox.stop());

/** A certificate of two names for each zone, from an issuer of the profile given. */
async function ask(profileOf: Readonly<Record<string, string>>): Promise<void> {
  const { issuers, ...inventory } = parse(await readFile(sandbox.inventoryPath, 'utf8'));
  const [issuer] = Object.values<object>(issuers);
  const text = stringify({
    ...inventory,
    issuers: Object.fromEntries(profiles.map((profile) => [profile, { ...issuer, profile }])),
    certificates: Object.entries(profileOf).map(([name, profile]) => {
      return { name, issuer: profile, domains: [`${name}-shop.com`, `*.${name}-shop.com`] };
    }),
  });
  await writeFile(sandbox.inventoryPath, text);
}

/** The function's answer, and its calls of Route 53 and of the CA for new orders. */
async function issue(event: object = {}) {
  const before = sandbox.journal.calls.length;
  const { answer, error } = await sandbox.lambda.invoke('issue', event);
  expect(error?.errorMessage).toBeUndefined();
  const calls = sandbox.journal.calls.slice(before).filter(isOfInterest);
  return { answer, calls: calls.map(({ action }) => action) };
}

function isOfInterest({ service, action }: Call): boolean {
  return service === 'route53' || action === 'newOrder';
}

function move(profile: string, isElsewhere: boolean): void {
  const zone = zones.get(profile);
  if (zone) zone.isDelegated = !isElsewhere;
  if (isElsewhere) moved.add(`${profile}-shop.com`);
  else moved.delete(`${profile}-shop.com`);
}

const secretOf = (name: string) => sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/${name}`);

/** The CA wants the certificate renewed now. */
function fallDue(name: string): void {
  const secret = secretOf(name);
  const current = secret.versions.get(secret.labels.get('AWSCURRENT') ?? '');
  sandbox.authority.renewNow(String(JSON.parse(current?.value.text ?? '{}')['tls.crt']));
  secret.setTags([['certrelay:askAfter', '']]);
}

const tagOf = (name: string) => secretOf(name).tags.get('certrelay:authorizations') ?? '';

describe.each(profiles)('under profile %s', (profile) => {
  const hours = profile === 'classic' ? 30 * 24 : 7;

  it('the tag tells until when the CA needs no proof, how the names were proved and for which profile', () => {
    const [expires = '', readAt = '', method, , ofProfile] = tagOf(profile).split('/');
    expect([method, ofProfile]).toEqual(['dns-01', profile]);
    expect((Date.parse(expires) - Date.parse(readAt)) / 3_600_000).toBeCloseTo(hours, 1);
  });

  it('a renewal that needs no proof makes no call of Route 53, wherever the zone is', async () => {
    move(profile, true);
    fallDue(profile);
    const { answer, calls } = await issue({ certificates: [profile] });
    expect(answer).toMatchObject({ certificates: [{ reason: 'RenewalDue', outcome: 'issued' }] });
    expect(calls).toEqual(['newOrder']);
  });

  it('a renewal after the authorizations have ended is held back while the zone is elsewhere', async () => {
    fallDue(profile);
    const over = new Date(Date.now() - 1_000).toISOString();
    const said = new Date(Date.now() - hours * 3_600_000).toISOString();
    secretOf(profile).setTags([
      ['certrelay:authorizations', [over, said, ...tagOf(profile).split('/').slice(2)].join('/')],
    ]);
    sandbox.authority.settings.authorizationReuse = false;
    const { answer, calls } = await issue({ certificates: [profile] });
    expect(answer).toMatchObject({ certificates: [{ decision: 'wait', reason: 'PreflightFailed' }] });
    expect(calls).not.toContain('newOrder');
  });

  it('and is issued once the zone is back, after which the CA’s word counts again', async () => {
    move(profile, false);
    const { answer, calls } = await issue({ certificates: [profile] });
    expect(answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    expect(calls).toContain('ChangeResourceRecordSets');
    sandbox.authority.settings.authorizationReuse = true;
    fallDue(profile);
    expect((await issue({ certificates: [profile] })).calls).toEqual(['newOrder']);
  });

  it('a renewal of what the version before issued checks DNS, once', async () => {
    secretOf(profile).setTags([['certrelay:authorizations', '']]);
    fallDue(profile);
    const { answer, calls } = await issue({ certificates: [profile] });
    expect(answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
    expect(calls.filter((action) => action === 'ChangeResourceRecordSets')).toEqual([]);
    expect(calls.length).toBeGreaterThan(1);
    fallDue(profile);
    expect((await issue({ certificates: [profile] })).calls).toEqual(['newOrder']);
  });
});

it('a certificate that gets another profile is held back while its zone is elsewhere', async () => {
  move('classic', true);
  await ask({ classic: 'tlsserver' });
  const { answer, calls } = await issue({ certificates: ['classic'] });
  expect(answer).toMatchObject({ certificates: [{ decision: 'wait', reason: 'PreflightFailed' }] });
  expect(calls).not.toContain('newOrder');
  await ask({ classic: 'classic' });
  fallDue('classic');
  expect((await issue({ certificates: ['classic'] })).calls).toEqual(['newOrder']);
});
