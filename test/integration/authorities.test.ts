// What a CA sees of a pass, and what becomes of certificates when it refuses all of them or is exchanged for
// another CA.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { type Authority, startAuthority } from '../sandbox/acme/authority.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const names = ['one.example.com', 'two.example.com'];
let sandbox: Sandbox;
let other: Authority;
beforeAll(async () => {
  sandbox = await startSandbox({
    certificates: names.map((name) => ({ name: name.split('.')[0], domains: [name, `*.${name}`] })),
    issueIntervalMinutes: 360,
  });
  const surroundings = { journal: new Journal(), faults: new Faults() };
  other = await startAuthority({ resolve: { servers: [sandbox.dns.address] } }, surroundings);
});
afterAll(() => Promise.all([sandbox.stop(), other.stop()]));

const texts = () => sandbox.route53.list('example.com').filter(({ type }) => type === 'TXT');
const accounts = () =>
  sandbox.secretsManager.vault.secrets
    .filter(({ name }) => name.startsWith(`${prefix}/accounts/`))
    .map((secret) =>
      Object(JSON.parse(secret.versions.get(secret.labels.get('AWSCURRENT') ?? '')?.value.text ?? '{}')),
    );

it('K30 a pass in which no certificate was issued ends with an error that names each', async () => {
  for (const name of names) sandbox.authority.settings.failValidation.add(name);
  const { error } = await sandbox.lambda.invoke('issue', {});
  const lines = error?.errorMessage.split('\n') ?? [];
  expect(lines.slice(0, 3)).toEqual([
    expect.stringMatching(/^one: unauthorized: .*one\.example\.com/),
    expect.stringMatching(/^two: unauthorized: .*two\.example\.com/),
    'to go on, run:',
  ]);
  expect(lines.slice(3)).toEqual(['  npx certrelay plan one two --region eu-central-1']);
  expect(texts()).toEqual([]);
  sandbox.authority.settings.failValidation.clear();
});

it('K32 K40 a TXT value lives for a minute in caches, is good for its own account, and is gone afterwards', async () => {
  const seen = new Map<string, readonly string[]>();
  const stop = sandbox.journal.before(({ action }) => {
    if (action === 'challenge')
      for (const { name, ttl, values } of texts()) seen.set(`${name} ${ttl}`, values);
  });
  for (const name of ['one', 'two']) {
    const { answer } = await sandbox.lambda.invoke('issue', { certificates: [name], force: true });
    expect(answer).toMatchObject({ certificates: [{ outcome: 'issued' }] });
  }
  stop();
  expect([...seen.keys()]).toEqual(names.map((name) => `_acme-challenge.${name}. 60`));
  // SHA-256 of the token with the thumbprint of the account's key, base64url (RFC 8555 §8.4): one for each
  // of the two names.
  for (const values of seen.values()) {
    expect(values).toEqual([expect.stringMatching(/^"[\w-]{43}"$/), expect.stringMatching(/^"[\w-]{43}"$/)]);
  }
  expect(texts()).toEqual([]);
});

it('a CA that has shortened its lives to less than two intervals of the schedule takes no certificate out of use, nor gets an order from every pass', async () => {
  const { vault } = sandbox.secretsManager;
  const current = () => vault.find(`${prefix}/certificates/one`)?.labels.get('AWSCURRENT');
  const before = current();
  const begun = sandbox.journal.calls.length;
  const { settings } = sandbox.authority;
  // Of which an hour is over when it is issued.
  settings.lifetimeMs = 12 * 3_600_000;
  const { error } = await sandbox.lambda.invoke('issue', { certificates: ['one'], force: true });
  expect(error?.errorMessage).toMatch(/the CA issued a certificate that ends too soon .* two intervals/);
  const { answer } = await sandbox.lambda.invoke('issue', { certificates: ['one'] });
  expect(answer).toMatchObject({ summary: { keep: 1 } });
  expect(current()).toBe(before);
  const actions = sandbox.journal.calls.slice(begun).map(({ action }) => action);
  expect(actions.filter((action) => action === 'newOrder')).toHaveLength(1);
  settings.lifetimeMs = undefined;
  const mended = await sandbox.lambda.invoke('issue', { certificates: ['one'], force: true });
  expect(mended.answer).toMatchObject({ summary: { issued: 1 } });
});

it('K41 C05 another CA in the inventory: every certificate is ordered from there, with an account of its own', async () => {
  const [before] = accounts();
  const inventory: unknown = parse(await readFile(sandbox.inventoryPath, 'utf8'));
  const caFile = join(sandbox.inventoryPath, '../other-ca.pem');
  await writeFile(caFile, other.caPem);
  const issuer = { directory: other.directory, caBundle: { file: caFile }, agreeToTerms: true };
  await writeFile(sandbox.inventoryPath, stringify({ ...Object(inventory), issuers: { default: issuer } }));
  const { answer } = await sandbox.lambda.invoke('issue', {});
  expect(answer).toMatchObject({
    certificates: names.map(() => ({ reason: 'IssuerChanged', outcome: 'issued' })),
  });
  const after = accounts();
  expect(after).toHaveLength(2);
  expect(after).toContainEqual(before);
  expect(new Set(after.map(({ key }) => key)).size).toBe(2);
  const again = await sandbox.lambda.invoke('issue', {});
  expect(again.answer).toMatchObject({ summary: { keep: 2 } });
});
