// The adapter for Secrets Manager, over the sandbox's strict double.
import { randomUUID } from 'node:crypto';
import { expect, onTestFinished, test } from 'vitest';
import { connectSecretsManager } from '../../lib/adapters/secrets-manager/connection.ts';
import {
  type PendingOrder,
  type StoredCertificate,
  type StoredSpec,
  versionOfOrder,
} from '../../lib/certificate/stored.ts';
import { describeError } from '../../lib/ports/errors.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { tagBudget } from '../../lib/state/budget.ts';
import { stateOfSpec } from '../../lib/state/describe.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { startSecretsManager } from '../sandbox/secrets-manager/server.ts';

const never = new AbortController().signal;
const directory = 'https://ca.example/dir';
const certificate: StoredCertificate = { chain: 'chain 1', key: 'key 1', issuer: directory };
const order: PendingOrder = {
  key: 'a key',
  keyType: 'ecdsa-p256',
  issuer: directory,
  domains: ['shop.example.com'],
  run: 'run-1',
  deadline: new Date('2026-11-22T10:00:00Z'),
};
const spec: StoredSpec = {
  name: 'shop',
  domains: ['shop.example.com'],
  issuer: 'default',
  key: 'ecdsa-p256',
  targets: [],
  source: 'registration',
};
const first = versionOfOrder('https://ca.example/order/1');
const second = versionOfOrder('https://ca.example/order/2');

async function open() {
  const journal = new Journal();
  const faults = new Faults();
  const service = await startSecretsManager({ journal, faults });
  onTestFinished(() => service.stop());
  const connection = connectSecretsManager({
    prefix: 'certrelay',
    uuid: randomUUID,
    config: {
      endpoint: service.url,
      region: 'eu-central-1',
      credentials: { accessKeyId: accessKeyOf('issue'), secretAccessKey: 'any' },
    },
  });
  onTestFinished(() => connection.close());
  const secret = (name: string) => service.vault.mustFind(`certrelay/certificates/${name}`);
  return { ...connection, store: connection.certificates, journal, faults, vault: service.vault, secret };
}

test('a certificate goes its way: made with a specification, claimed, stored, released', async () => {
  const { store, journal, secret } = await open();
  expect(await store.create('shop', spec, never)).toBe('created');
  expect(await store.create('shop', spec, never)).toBe('exists');
  const made = await store.read('shop', 'AWSCURRENT', never);
  expect(made?.value).toEqual({ kind: 'specification', spec });
  expect(await store.read('shop', 'AWSPENDING', never)).toBeUndefined();

  const claim = await store.claim('shop', order, undefined, never);
  if (claim === 'claimedByOther') throw new Error('nobody else is there');
  expect((await store.read('shop', 'AWSPENDING', never))?.value).toEqual({ kind: 'pending', order });
  await store.put('shop', { ...certificate, spec }, first, never);
  await store.release('shop', claim.version, never);

  expect(await store.describe('shop', never)).toEqual({
    name: 'shop',
    arn: secret('shop').arn,
    createdAt: secret('shop').created,
    current: first,
    previous: made?.version,
    pending: undefined,
    state: stateOfSpec(spec),
  });
  expect(await store.read('shop', 'AWSCURRENT', never)).toEqual({
    version: first,
    createdAt: expect.any(Date),
    value: { kind: 'certificate', certificate: { ...certificate, spec } },
  });
  expect(await store.read('shop', { version: made?.version ?? '' }, never)).toEqual(made);
  // An issuance costs two versions, and what stays of a claim is the label it was parked under.
  expect(journal.count({ action: 'PutSecretValue' })).toBe(2);
  expect(secret('shop').labelsOf(claim.version)).toEqual(['CERTRELAY_CLAIM']);
});

test('nothing is there: no entry, no value, nothing to release', async () => {
  const { store } = await open();
  expect(await store.describe('none', never)).toBeUndefined();
  expect(await store.read('none', 'AWSCURRENT', never)).toBeUndefined();
  await store.release('none', first, never);
  expect(await store.list(never)).toEqual([]);
});

test('of eight runs that claim at once, one gets the claim and seven hear that it is held', async () => {
  const { store } = await open();
  await store.create('shop', undefined, never);
  const claims = await Promise.all(
    Array.from({ length: 8 }, (_, i) => store.claim('shop', { ...order, run: `run-${i}` }, undefined, never)),
  );
  const won = claims.filter((claim) => claim !== 'claimedByOther');
  expect(won).toHaveLength(1);
  expect((await store.describe('shop', never))?.pending).toBe(won[0]?.version);
});

test('a claim is taken over by naming it, once; its run can release it no more', async () => {
  const { store } = await open();
  await store.create('shop', undefined, never);
  const dead = await store.claim('shop', order, undefined, never);
  if (dead === 'claimedByOther') throw new Error('nobody else is there');
  const heirs = await Promise.all([1, 2].map(() => store.claim('shop', order, dead.version, never)));
  const heir = heirs.find((claim) => claim !== 'claimedByOther');
  expect(heirs.filter((claim) => claim === 'claimedByOther')).toHaveLength(1);
  await store.release('shop', dead.version, never);
  expect((await store.describe('shop', never))?.pending).toBe(heir?.version);
  // Released in between: what was named is no longer so.
  await store.release('shop', heir?.version ?? '', never);
  expect(await store.claim('shop', order, dead.version, never)).toBe('claimedByOther');
});

const changes = ['CreateSecret', 'PutSecretValue', 'UpdateSecretVersionStage', 'TagResource'] as const;
test.each(changes)('%s carried out without an answer is carried out once', async (action) => {
  const { store, faults, secret, journal } = await open();
  faults.set('secretsmanager', action, { kind: 'lose' });
  await store.create('shop', undefined, never);
  const claim = await store.claim('shop', order, undefined, never);
  expect(claim).not.toBe('claimedByOther');
  await store.record('shop', { failures: 1 }, never);
  expect((await store.describe('shop', never))?.pending).toBe(
    claim === 'claimedByOther' ? '' : claim.version,
  );
  expect(secret('shop').versions.size).toBe(2);
  expect(journal.calls.filter((call) => call.action === action).length).toBe(2);
});

test('a claim over a dead one is ours when only the answer was lost', async () => {
  const { store, faults } = await open();
  await store.create('shop', undefined, never);
  const dead = await store.claim('shop', order, undefined, never);
  if (dead === 'claimedByOther') throw new Error('nobody else is there');
  faults.set('secretsmanager', 'UpdateSecretVersionStage', { kind: 'lose' });
  const heir = await store.claim('shop', order, dead.version, never);
  expect(heir).toEqual({ version: (await store.describe('shop', never))?.pending });
  faults.set('secretsmanager', 'UpdateSecretVersionStage', { kind: 'lose' });
  await store.release('shop', heir === 'claimedByOther' ? '' : heir.version, never);
  expect((await store.describe('shop', never))?.pending).toBeUndefined();
});

test('a claim that another run lets go while we look who holds it is ours', async () => {
  const { store, journal, secret } = await open();
  await store.create('shop', undefined, never);
  const other = await store.claim('shop', order, undefined, never);
  if (other === 'claimedByOther') throw new Error('nobody else is there');
  journal.before(({ action }) => {
    if (action === 'DescribeSecret') secret('shop').labels.delete('AWSPENDING');
  });
  const claim = await store.claim('shop', order, undefined, never);
  expect(secret('shop').labels.get('AWSPENDING')).toBe(claim === 'claimedByOther' ? '' : claim.version);
});

test('a move that AWS refuses for another reason than the holder is an error, not a held claim', async () => {
  const { store, faults } = await open();
  await store.create('shop', undefined, never);
  const claim = await store.claim('shop', order, undefined, never);
  if (claim === 'claimedByOther') throw new Error('nobody else is there');
  const refused = { kind: 'error', code: 'InvalidParameterException', status: 400 } as const;
  faults.set('secretsmanager', 'UpdateSecretVersionStage', refused, 4);
  await expect(store.claim('shop', order, claim.version, never)).rejects.toMatchObject({ code: 'Failed' });
  await expect(store.release('shop', claim.version, never)).rejects.toMatchObject({ code: 'Failed' });
});

test('storing the same certificate again changes nothing, and never undoes a newer one', async () => {
  const { store, secret } = await open();
  await store.create('shop', undefined, never);
  await store.put('shop', certificate, first, never);
  await store.put('shop', certificate, first, never);
  expect(secret('shop').versions.size).toBe(2);
  await store.put('shop', { ...certificate, chain: 'chain 2' }, second, never);
  await store.put('shop', certificate, first, never);
  expect((await store.describe('shop', never))?.current).toBe(second);
  // Its specification has changed since, the certificate has not.
  await store.put('shop', { ...certificate, spec }, first, never);
  await expect(store.put('shop', { ...certificate, chain: 'another' }, first, never)).rejects.toMatchObject({
    code: 'Failed',
  });
});

test('a specification is made together with the tags by which it is known again', async () => {
  const { store, journal } = await open();
  await store.create('shop', spec, never);
  expect((await store.describe('shop', never))?.state).toEqual(stateOfSpec(spec));
  expect(journal.count({ action: 'TagResource' })).toBe(0);
});

test('state is written in one call, field by field, and makes no version', async () => {
  const { store, journal, secret } = await open();
  await store.create('shop', undefined, never);
  const order1 = `https://ca.example/order?id=${'1'.repeat(300)}`;
  const notAfter = new Date('2027-02-10T00:00:00Z');
  await store.record('shop', { version: first, order: order1, notAfter, failures: 2 }, never);
  await store.record('shop', { order: null, failures: 0 }, never);
  expect((await store.describe('shop', never))?.state).toEqual({ version: first, notAfter, failures: 0 });
  await store.record('shop', {}, never);
  expect(journal.count({ action: 'TagResource' })).toBe(2);
  expect(journal.count({ action: 'UntagResource' })).toBe(0);
  expect(secret('shop').versions.size).toBe(1);
});

test('a value that was longer before leaves no part of it behind', async () => {
  const { store, journal, secret } = await open();
  await store.create('shop', undefined, never);
  await store.record('shop', { order: `https://ca.example/${'1'.repeat(600)}` }, never);
  await store.describe('shop', never);
  await store.record('shop', { order: 'https://ca.example/2' }, never);
  expect([...secret('shop').tags].filter(([, value]) => value !== '')).toEqual([
    ['certrelay:order', 'https://ca.example/2'],
  ]);
  expect(journal.count({ action: 'TagResource' })).toBe(2);
});

test.each([
  [true],
  [false],
])('in a crowded secret what is cleared makes room: %s that the role may', async (may) => {
  const { store, faults, secret } = await open();
  await store.create('shop', undefined, never);
  const room = tagBudget.most - tagBudget.reserved;
  secret('shop').setTags(Array.from({ length: room - 3 }, (_, index) => [`team:${index}`, 'x'] as const));
  await store.describe('shop', never);
  await store.record('shop', { order: 'https://ca.example/1', error: 'x' }, never);
  if (!may)
    faults.set('secretsmanager', 'UntagResource', {
      kind: 'error',
      code: 'AccessDeniedException',
      status: 400,
    });
  await store.record('shop', { order: null, error: null, failures: 1, domains: ['a.example.com'] }, never);
  expect((await store.describe('shop', never))?.state).toEqual({ failures: 1, domains: ['a.example.com'] });
  expect(secret('shop').tags.size).toBe(may ? room - 1 : room + 1);
});

test('1,000 entries are listed in 10 calls, and what is not a certificate is passed over', async () => {
  const { store, journal, vault } = await open();
  for (let i = 0; i < 1_000; i += 1) {
    const made = vault.make(`certrelay/certificates/c${i}`);
    made.addVersion(first, { text: '{}' }, undefined);
    made.setTags([['certrelay:version', first]]);
  }
  const foreign = ['certrelay/certificates-of-others', 'certrelay/accounts/x', 'other/certificates/x'];
  for (const name of foreign) vault.make(name);
  const entries = await store.list(never);
  expect(journal.count({})).toBe(10);
  expect(new Set(entries.map((entry) => entry.name)).size).toBe(1_000);
  const { arn } = vault.mustFind('certrelay/certificates/c0');
  expect(entries[0]).toEqual({ name: 'c0', arn, current: first, state: { version: first } });
  vault.make('certrelay/certificates/Not_Ours');
  vault.make('certrelay/certificates/a/b');
  expect(await store.list(never)).toHaveLength(1_000);
});

test('of some sources alone those are listed, each with when it was made, and the rest is not sent', async () => {
  const { store, journal } = await open();
  const target = { cluster: 'lab', namespace: 'shop', secret: 'a', format: 'tls', restart: 'none' } as const;
  const use = { restartStrategy: 'annotation', adopt: false, replace: false } as const;
  const found = { ...spec, name: 'found', source: 'discovery', targets: [{ ...target, ...use }] } as const;
  await store.create('found', found, never);
  await store.create('shop', spec, never);
  await store.create('own', undefined, never);
  // Its tag begins as the word that is looked for.
  await store.record('own', { pauseReason: 'discovery of a fault' }, never);
  expect(await store.list(never, ['discovery', 'import'])).toMatchObject([
    {
      name: 'found',
      createdAt: expect.any(Date),
      state: { place: { cluster: 'lab', namespace: 'shop' }, domains: ['shop.example.com'] },
    },
  ]);
  expect(journal.count({ action: 'ListSecrets' })).toBe(1);
});

test('a value over 64 KB is refused before it is sent', async () => {
  const { store, journal } = await open();
  await store.create('shop', undefined, never);
  const large = { ...certificate, chain: 'x'.repeat(65_537) };
  await expect(store.put('shop', large, first, never)).rejects.toMatchObject({
    code: 'TooLarge',
    message: expect.stringContaining('certrelay/certificates/shop'),
  });
  expect(journal.count({ action: 'PutSecretValue' })).toBe(0);
});

test('what AWS denies is told with the permission that is missing', async () => {
  const { store, faults } = await open();
  const denied = { kind: 'error', code: 'AccessDeniedException', status: 400 } as const;
  faults.set('secretsmanager', 'GetSecretValue', denied);
  const error = await store.read('shop', 'AWSCURRENT', never).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(StoreError);
  expect(error).toMatchObject({ code: 'Denied' });
  expect(String(error)).toMatch(/role needs secretsmanager:GetSecretValue/);
  expect(String(error)).toContain('certrelay/certificates/shop');
});

test('a throttled call is tried three times and then told; so is one that fails', async () => {
  const { store, faults, journal } = await open();
  const throttled = { kind: 'error', code: 'ThrottlingException', status: 400 } as const;
  faults.set('secretsmanager', 'ListSecrets', throttled, 3);
  await expect(store.list(never)).rejects.toMatchObject({ code: 'Throttled' });
  expect(journal.count({ action: 'ListSecrets' })).toBe(3);
  faults.set('secretsmanager', 'DescribeSecret', { kind: 'drop' }, 3);
  await expect(store.describe('shop', never)).rejects.toMatchObject({ code: 'Failed' });
});

test('an answer that is not JSON is told in our words alone: what it holds may be a key', async () => {
  const { store, faults } = await open();
  faults.set('secretsmanager', 'GetSecretValue', { kind: 'malformed' }, 3);
  const error = await store.read('shop', 'AWSCURRENT', never).catch((reason: unknown) => reason);
  expect(error).toMatchObject({ code: 'Failed' });
  expect(error).not.toHaveProperty('cause');
  expect(describeError(error)).toBe(
    'AWS answered secretsmanager:GetSecretValue on the AWS secret certrelay/certificates/shop with something that is not JSON',
  );
});

test('an aborted signal ends a call that is under way with its own reason', async () => {
  const { store, journal } = await open();
  const controller = new AbortController();
  const reason = new Error('the deadline is near');
  const free = Promise.withResolvers<void>();
  journal.before(() => {
    controller.abort(reason);
    return free.promise;
  });
  await expect(store.describe('shop', controller.signal)).rejects.toBe(reason);
  free.resolve();
  await expect(store.describe('shop', controller.signal)).rejects.toBe(reason);
  expect(journal.count({})).toBe(1);
});

test('an AWS secret scheduled for deletion is as good as gone, but its name is not free', async () => {
  const { store, secret } = await open();
  await store.create('shop', undefined, never);
  secret('shop').scheduleDeletion(30);
  expect(await store.describe('shop', never)).toBeUndefined();
  expect(await store.create('shop', undefined, never)).toBe('deleted');
  await expect(store.read('shop', 'AWSCURRENT', never)).rejects.toMatchObject({
    message: expect.stringContaining('npx certrelay restore shop'),
    cause: { message: expect.stringContaining('marked for deletion') },
  });
});

test('a certificate’s AWS secret goes with its replicas, is found in its window, and comes back as it was', async () => {
  const { store, retirements, journal, secret } = await open();
  await store.create('shop', spec, never);
  await store.create('stays', spec, never);
  secret('shop').replicas.add('eu-west-1');
  await store.record('shop', { unregister: new Date(0) }, never);
  expect(await retirements.findDeleted('shop', never)).toBeUndefined();
  const until = await retirements.scheduleDeletion('shop', never);
  expect((until.getTime() - Date.now()) / 86_400_000).toBeCloseTo(30, 2);
  expect(secret('shop').replicas.size).toBe(0);
  expect(await retirements.scheduleDeletion('shop', never), 'twice').toEqual(until);
  expect(journal.count({ action: 'DeleteSecret' })).toBe(1);

  const both = ['stays', 'stays'].map((name) => retirements.scheduleDeletion(name, never));
  const [one, other] = await Promise.all(both);
  expect(one, 'two runs at once').toEqual(other);
  await retirements.restore('stays', never);

  const found = await retirements.findDeleted('shop', never);
  expect(found).toMatchObject({ name: 'shop', until, state: { unregister: new Date(0) } });
  // Lists have the day of the request, from which the end is reckoned.
  expect(await retirements.listDeleted(never)).toEqual([found]);
  expect((await store.list(never)).map(({ name }) => name)).toEqual(['stays']);

  await retirements.restore('shop', never);
  await retirements.restore('shop', never);
  expect(await retirements.listDeleted(never)).toEqual([]);
  expect((await store.read('shop', 'AWSCURRENT', never))?.value).toEqual({ kind: 'specification', spec });
  expect(await retirements.findDeleted('nobody', never)).toBeUndefined();
});

test('another request that AWS calls invalid is not taken for one on a secret that awaits deletion', async () => {
  const { store, faults } = await open();
  const invalid = { kind: 'error', code: 'InvalidRequestException', status: 400, message: 'No.' } as const;
  faults.set('secretsmanager', 'GetSecretValue', invalid);
  await expect(store.read('shop', 'AWSCURRENT', never)).rejects.toMatchObject({
    message: expect.stringMatching(/failed \(InvalidRequestException\)$/),
  });
});

test('an account is kept once per directory: whoever comes second gets the first', async () => {
  const { accounts, vault } = await open();
  expect(await accounts.read(directory, never)).toBeUndefined();
  const [a, b] = await Promise.all(
    ['one', 'two'].map((key) => accounts.create(directory, { key, contact: [] }, never)),
  );
  expect(a).toEqual(b);
  const contact = ['mailto:ops@example.com'];
  const known = { key: a?.key ?? '', url: 'https://ca.example/acct/1', contact, nextKey: 'three' };
  await accounts.update(directory, known, never);
  expect(await accounts.read(directory, never)).toEqual(known);
  expect(await accounts.read('https://other.example/dir', never)).toBeUndefined();
  expect(vault.secrets.map((secret) => secret.name)).toEqual([
    expect.stringMatching(/^certrelay\/accounts\/[0-9a-f]{32}$/),
  ]);
  expect(vault.secrets[0]?.name).toBe(accounts.secretOf(directory));
});

test('an account that cannot be read is never replaced', async () => {
  const { accounts, vault } = await open();
  await accounts.create(directory, { key: 'one', contact: [] }, never);
  vault.secrets[0]?.addVersion('by-hand'.padEnd(32, '-'), { text: 'KEYBYTES' }, undefined);
  await expect(accounts.read(directory, never)).rejects.toMatchObject({
    code: 'Failed',
    message: expect.stringMatching(/^(?!.*KEYBYTES).*certrelay\/accounts\//),
  });
});

test('a text is read by the name of its AWS secret, without the prefix', async () => {
  const { readText, vault } = await open();
  vault.make('any/name').addVersion('v'.repeat(32), { text: 'whsec_x' }, undefined);
  vault.make('binary').addVersion('v'.repeat(32), { binary: Buffer.from('ü').toString('base64') }, undefined);
  expect(await readText('any/name', never)).toBe('whsec_x');
  expect(await readText('binary', never)).toBe('ü');
  await expect(readText('none', never)).rejects.toMatchObject({
    code: 'Failed',
    message: expect.stringContaining('the AWS secret none does not exist'),
  });
});
