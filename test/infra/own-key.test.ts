// A KMS key of the operator's own: who may use it, that new AWS secrets are encrypted with it, and what is
// said when it cannot be used.
import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished, test } from 'vitest';
import { findKeyProblems } from '../../infra/deploy/kms-key.ts';
import { connectSecretsManager } from '../../lib/adapters/secrets-manager/connection.ts';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { functionNames } from '../function-names.ts';
import { Faults } from '../sandbox/faults.ts';
import { createAccess } from '../sandbox/iam/access.ts';
import { isAllowed, type Statement } from '../sandbox/iam/evaluation.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { startSecretsManager } from '../sandbox/secrets-manager/server.ts';
import { Sessions } from '../sandbox/sts/sessions.ts';
import { readAgentRole, readPolicies } from './policies.ts';
import { readUnpackaged } from './unpackaged.ts';

const [region, account] = ['eu-central-1', '123456789012'];
const keyArn = (id: string) => `arn:aws:kms:${region}:210987654321:key/${id}`;
const kmsKey = keyArn('12345678-90ab-cdef-1234-567890abcdef');
const other = keyArn('00000000-90ab-cdef-1234-567890abcdef');
const inventory: Inventory = { issuers: {}, clusters: {}, certificates: [] };
const writing = ['issue', 'register', 'discover', 'import', 'revoke', 'pause'];
const reading = [...writing, 'deploy', 'export', 'retire'];
const never = new AbortController().signal;

const viaSecretsManager = { 'kms:ViaService': [`secretsmanager.${region}.amazonaws.com`] };

async function rolesWith(key: string | undefined): Promise<Readonly<Record<string, readonly Statement[]>>> {
  const template = await readUnpackaged({ ...inventory, ...(key === undefined ? {} : { kmsKey: key }) });
  return readPolicies(template, { region, account });
}

it('who makes or writes values of certificates may encrypt, who reads them decrypt, by Secrets Manager and with that key alone', async () => {
  const [with_, without] = [await rolesWith(kmsKey), await rolesWith(undefined)];
  const may = (roles: typeof with_, action: string, resource = kmsKey, conditions = viaSecretsManager) =>
    functionNames.filter((name) => isAllowed(roles[name] ?? [], { action, resource, conditions }));
  const only = (names: readonly string[]) => functionNames.filter((name) => names.includes(name));
  expect(may(with_, 'kms:GenerateDataKey')).toEqual(only(writing));
  expect(may(with_, 'kms:Decrypt')).toEqual(only(reading));
  for (const action of ['kms:GenerateDataKey', 'kms:Decrypt', 'kms:Encrypt', 'kms:CreateGrant']) {
    expect(may(without, action)).toEqual([]);
    expect(may(with_, action, other)).toEqual([]);
    expect(may(with_, action, kmsKey, { 'kms:ViaService': [`s3.${region}.amazonaws.com`] })).toEqual([]);
  }
  expect([...may(with_, 'kms:Encrypt'), ...may(with_, 'kms:CreateGrant')]).toEqual([]);
});

it('an agent may decrypt with the key of its parameter, and without one with none', async () => {
  const may = async (key: string | undefined, action: string, resource = kmsKey) =>
    isAllowed(await readAgentRole('edge', false, key), { action, resource, conditions: viaSecretsManager });
  expect(await may(kmsKey, 'kms:Decrypt')).toBe(true);
  expect(await may(undefined, 'kms:Decrypt')).toBe(false);
  expect(await may(kmsKey, 'kms:Decrypt', other)).toBe(false);
  expect(await may(kmsKey, 'kms:GenerateDataKey')).toBe(false);
});

/** Secrets Manager with the roles of an inventory with the key; `open` connects a function to it. */
async function start() {
  const policies = new Map(Object.entries(await rolesWith(kmsKey)));
  const surroundings = { journal: new Journal(), faults: new Faults() };
  const access = createAccess(policies, new Sessions());
  const service = await startSecretsManager({ ...surroundings, access });
  onTestFinished(() => service.stop());
  const open = (name: string, key?: string) => {
    const credentials = { accessKeyId: accessKeyOf(name), secretAccessKey: 'any' };
    const config = { endpoint: service.url, region, credentials };
    const connection = connectSecretsManager({ prefix: 'certrelay', uuid: randomUUID, config, kmsKey: key });
    onTestFinished(connection.close);
    return connection.certificates;
  };
  return { ...service, policies, open };
}

const order = {
  key: 'PRIVATE KEY',
  keyType: 'ecdsa-p256',
  issuer: 'https://ca.example/directory',
  domains: ['shop.example.com'],
  run: 'run-1',
  deadline: new Date('2026-01-01T00:15:00Z'),
} as const;

test('a secret that is made gets the key, and one that is there keeps its own', async () => {
  const { vault, open } = await start();
  const keyOf = (name: string) => vault.mustFind(`certrelay/certificates/${name}`).kmsKey;
  await open('register').create('old', undefined, never);
  await open('register', kmsKey).create('new', undefined, never);
  expect(await open('issue', kmsKey).create('old', undefined, never)).toBe('exists');
  expect([keyOf('old'), keyOf('new')]).toEqual([undefined, kmsKey]);
  expect(await open('issue', kmsKey).read('new', 'AWSCURRENT', never)).toBeDefined();
  expect(await open('export').read('new', 'AWSCURRENT', never)).toBeDefined();
});

test('a key that is forbidden or cannot be used is told, with what to do, at each call that needs it', async () => {
  const { vault, policies, open } = await start();
  await open('issue', kmsKey).create('shop', undefined, never);
  const forbidden = (policies.get('issue') ?? []).filter(({ sid }) => sid !== 'UseKmsKey');
  policies.set('issue', forbidden);
  const store = open('issue', kmsKey);
  const calls = [
    ['CreateSecret', () => store.create('more', undefined, never)],
    ['GetSecretValue', () => store.read('shop', 'AWSCURRENT', never)],
    ['PutSecretValue', () => store.claim('shop', order, undefined, never)],
  ] as const;
  for (const [action, call] of calls)
    await expect(call(), action).rejects.toMatchObject({
      code: 'Denied',
      message: expect.stringMatching(
        new RegExp(
          `${action} on .* because of its KMS key: .* kms:Decrypt .* kms:GenerateDataKey.* policy .*describe-secret`,
        ),
      ),
    });
  policies.set('issue', (await rolesWith(kmsKey)).issue ?? []);
  vault.unusableKeys.add(kmsKey);
  for (const [action, call] of calls)
    await expect(call(), action).rejects.toMatchObject({
      code: 'Failed',
      message: expect.stringMatching(
        new RegExp(`${action} on .*(De|En)cryptionFailure.* enable the key.* describe-secret --secret-id`),
      ),
    });
  // Tags alone need no key.
  await store.record('shop', { failures: 1 }, never);
  expect(await store.describe('shop', never)).toMatchObject({ state: { failures: 1 } });
});

test('a denial that names no key is told as before, also of a certificate called kms', async () => {
  const { policies, open } = await start();
  policies.set('export', []);
  await expect(open('export').read('kms', 'AWSCURRENT', never)).rejects.toMatchObject({
    code: 'Denied',
    message: expect.stringContaining('IAM role needs secretsmanager:GetSecretValue there'),
  });
});

test.each([
  'alias/certificates',
  'arn:aws:kms:eu-central-1:123456789012:alias/certificates',
  '12345678-90ab-cdef-1234-567890abcdef',
  `${kmsKey}*`,
  `${kmsKey}\\n`,
  keyArn('*'),
  kmsKey.replace(':kms:', ':s3:'),
  kmsKey.replace(region, '*'),
  kmsKey.replace('210987654321', ''),
])('what is not the ARN of one key is refused: %j', (text) => {
  expect(parseInventory(`certificates: []\nkmsKey: "${text}"\n`)).toMatchObject({
    problems: [{ path: 'kmsKey', message: expect.stringContaining('arn:aws:kms:<region>') }],
  });
  for (const key of [kmsKey, keyArn('mrk-0123456789abcdef0123456789abcdef')])
    expect(parseInventory(`certificates: []\nkmsKey: "${key}"\n`)).toHaveProperty('inventory.kmsKey', key);
});

it('a key of another region than the stack is refused before anything is deployed', () => {
  expect(findKeyProblems({ kmsKey }, 'us-east-1')).toEqual([
    expect.stringMatching(/kmsKey .*eu-central-1.*us-east-1/),
  ]);
  expect(findKeyProblems({ kmsKey }, region)).toEqual([]);
  expect(findKeyProblems({}, region)).toEqual([]);
});
