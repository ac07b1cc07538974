// Tags of the operator's own: who may give them to a certificate's AWS secret, and that new ones get them.
import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished, test } from 'vitest';
import { connectSecretsManager } from '../../lib/adapters/secrets-manager/connection.ts';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { functionNames } from '../function-names.ts';
import { Faults } from '../sandbox/faults.ts';
import { isAllowed } from '../sandbox/iam/evaluation.ts';
import { Journal } from '../sandbox/journal.ts';
import { startSecretsManager } from '../sandbox/secrets-manager/server.ts';
import { readPolicies } from './policies.ts';
import { readUnpackaged } from './unpackaged.ts';

const [region, account] = ['eu-central-1', '123456789012'];
const resource = `arn:aws:secretsmanager:${region}:${account}:secret:certrelay/certificates/shop-AbCdEf`;
const inventory: Inventory = { issuers: {}, clusters: {}, certificates: [] };
const making = ['issue', 'register', 'discover', 'import', 'revoke', 'pause'];

/** The functions that may do this with these tags. */
async function may(action: string, tags: Inventory['tags'], ...keys: readonly string[]) {
  const template = await readUnpackaged({ ...inventory, ...(tags ? { tags } : {}) });
  const policies = readPolicies(template, { region, account });
  const conditions = { 'aws:TagKeys': keys };
  return functionNames.filter((name) =>
    isAllowed(policies[name] ?? [], { action: `secretsmanager:${action}`, resource, conditions }),
  );
}

it('who makes certificates’ AWS secrets may give them the tags of the inventory, and nobody any others', async () => {
  const tags = { 'cost-centre': '42', team: 'web' };
  const makers = functionNames.filter((name) => making.includes(name));
  for (const action of ['CreateSecret', 'TagResource']) {
    expect(await may(action, tags, 'cost-centre', 'team')).toEqual(makers);
    expect(await may(action, tags, 'cost-centre', 'others')).toEqual([]);
    expect(await may(action, tags, 'Team-lead')).toEqual([]);
    expect(await may(action, undefined, 'team')).toEqual([]);
  }
});

test('a secret that is made gets them beside its own, one that is there stays as it is', async () => {
  const service = await startSecretsManager({ journal: new Journal(), faults: new Faults() });
  onTestFinished(() => service.stop());
  const credentials = { accessKeyId: 'any', secretAccessKey: 'any' };
  const config = { endpoint: service.url, region, credentials };
  const open = (tags?: Inventory['tags']) => {
    const connection = connectSecretsManager({ prefix: 'certrelay', uuid: randomUUID, config, tags });
    onTestFinished(connection.close);
    return connection.certificates;
  };
  const never = new AbortController().signal;
  const tagsOf = (name: string) =>
    Object.fromEntries(service.vault.mustFind(`certrelay/certificates/${name}`).tags);
  await open().create('old', undefined, never);
  const store = open({ 'cost-centre': '42' });
  const spec = {
    name: 'shop',
    domains: ['shop.example.com'],
    issuer: 'default',
    key: 'ecdsa-p256',
    targets: [],
    source: 'registration',
  } as const;
  expect(await store.create('old', undefined, never)).toBe('exists');
  await store.create('new', undefined, never);
  await store.create('shop', spec, never);
  await store.record('old', { failures: 1 }, never);
  expect([tagsOf('old'), tagsOf('new')]).toEqual([{ 'certrelay:failures': '1' }, { 'cost-centre': '42' }]);
  expect(tagsOf('shop')).toMatchObject({ 'cost-centre': '42', 'certrelay:source': 'registration' });
});

test.each([
  'certrelay:source: x',
  'CertRelay:source: x',
  '"aws:createdBy": x',
  '"": x',
  '" a": x',
  '"a*": x',
  `${'k'.repeat(65)}: x`,
  'a: "line\\nbreak"',
  `a: ${'v'.repeat(257)}`,
  'a: 42',
  'a: 1\n  b: 2\n  c: 3\n  d: 4\n  e: 5\n  f: 6'.replace(/(\d)/g, '"$1"'),
])('tags that AWS or Certrelay would not have are refused: %j', (line) => {
  expect(parseInventory(`certificates: []\ntags:\n  ${line}\n`)).toMatchObject({
    problems: [{ path: expect.stringContaining('tags') }],
  });
  expect(parseInventory('certificates: []\ntags: { cost-centre: "42", team: web }\n')).toHaveProperty(
    'inventory.tags',
  );
});
