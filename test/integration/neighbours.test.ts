// One pass over certificates that go well beside those whose zone, DNS or CA gives no answer: whose harm is
// whose.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { startQuietSandbox } from '../bench/quiet-sandbox.ts';
import { type Authority, startAuthority } from '../sandbox/acme/authority.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import type { HostedZone } from '../sandbox/route53/hosted-zone.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';

let sandbox: Sandbox;
let hanging: Authority;
let pendingZone: HostedZone;
beforeAll(async () => {
  sandbox = await startQuietSandbox({ zones: ['example.com', 'unseen.example.org'] });
  pendingZone = sandbox.route53.createZone('pending.example.net');
  const faults = new Faults();
  faults.set('acme', 'newOrder', { kind: 'delay', ms: 60_000 }, 99);
  const surroundings = { journal: new Journal(), faults };
  hanging = await startAuthority({ resolve: { servers: [sandbox.dns.address] } }, surroundings);
});
afterAll(() => Promise.all([sandbox.stop(), hanging.stop()]));

it('a pass issues what it can beside a zone that stays PENDING, a TXT value that never shows and a CA that hangs', async () => {
  const caFile = join(sandbox.inventoryPath, '../hanging-ca.pem');
  await writeFile(caFile, hanging.caPem);
  const inventory = Object(parse(await readFile(sandbox.inventoryPath, 'utf8')));
  const other = { directory: hanging.directory, caBundle: { file: caFile }, agreeToTerms: true };
  const of = (name: string, domain: string, more: object = {}) => ({ name, domains: [domain], ...more });
  const certificates = [
    of('pending', 'www.pending.example.net'),
    of('unseen', 'www.unseen.example.org'),
    of('hanging', 'hanging.example.com', { issuer: 'hanging' }),
    of('one', 'one.example.com'),
    of('two', 'two.example.com'),
  ];
  const issuers = { ...inventory.issuers, hanging: other };
  await writeFile(
    sandbox.inventoryPath,
    stringify({ ...inventory, issuers, dns: { preflight: false }, certificates }),
  );
  const stop = sandbox.journal.before(({ action, resource }) => {
    if (action !== 'ChangeResourceRecordSets') return;
    sandbox.route53.settings.insyncMs = resource.endsWith(pendingZone.id) ? 3_600_000 : 0;
  });
  sandbox.faults.set('dns', 'TXT', { kind: 'drop' }, 999, (name) => name.endsWith('unseen.example.org'));
  const { answer, error } = await sandbox.lambda.invoke('issue', {}, { remainingMs: 24_000 });
  expect(error).toBeUndefined();
  stop();
  const outcomes = Object.fromEntries(
    Object(answer).certificates.map(({ name, outcome }: Record<string, string>) => [name, outcome]),
  );
  expect(outcomes).toEqual({
    one: 'issued',
    two: 'issued',
    pending: 'waiting',
    unseen: 'waiting',
    hanging: 'waiting',
  });
  const changes = sandbox.journal.find({ service: 'route53', action: 'ChangeResourceRecordSets' });
  const inGood = changes.filter(({ resource }) => !resource.endsWith(pendingZone.id));
  // Two for the zone of the good ones, two for that of the unseen one.
  expect(inGood).toHaveLength(4);
  for (const zone of ['example.com', 'unseen.example.org'])
    expect(sandbox.route53.list(zone).filter(({ type }) => type === 'TXT')).toEqual([]);
});
