// Targets with a PKCS#12 keystore: its password comes from an AWS secret, and nothing is written twice.
import { createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { earlierKeystoreRounds, writeKeystore } from '../../lib/certificate/pkcs12.ts';
import { targetOf } from '../minting/targets.ts';
import { type Bench, codesOf, only, openBench } from './harness.ts';

const secret = 'certrelay/passwords/shop';
const keystoreTarget = targetOf({ format: 'pkcs12', password: { secret } });

const password = 'sixteen letters!';
const weak = 'fifteen letters';
const sealOf = (bench: Bench) => bench.secret()?.metadata.annotations?.['certrelay.dev/keystore'];

async function open(text = `${password}\n`) {
  const bench = await openBench({ targets: [keystoreTarget] });
  bench.texts.set(secret, text);
  const opens = (passphrase: string) => {
    const pfx = Buffer.from(bench.secret()?.data['keystore.p12'] ?? '', 'base64');
    return createSecureContext({ pfx, passphrase });
  };
  return { bench, opens };
}

test('the Secret holds a keystore under the password, which is in no log, and a second run changes nothing', async () => {
  const { bench, opens } = await open();
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'create' });
  expect(Object.keys(bench.secret()?.data ?? {})).toEqual(['keystore.p12']);
  opens(password);
  bench.calls();
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(bench.calls()).toEqual(['get secrets']);
  expect(JSON.stringify(bench.log.lines)).not.toContain(password);
});

test('another password makes another keystore of the same certificate', async () => {
  const { bench, opens } = await open();
  await bench.deploy();
  bench.texts.set(secret, 'another password');
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  opens('another password');
});

test('a keystore that somebody changed is put right', async () => {
  const { bench, opens } = await open();
  await bench.deploy();
  const data = { 'keystore.p12': Buffer.from('other').toString('base64') };
  await bench.admin.patch('/api/v1/namespaces/shop/secrets/shop-tls', { data });
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  opens(password);
});

test.for([
  ['that does not exist', undefined, /certrelay\/passwords\/shop does not exist/],
  ['that is empty', '\n', /certrelay\/passwords\/shop is empty: put the keystore's password there/],
] as const)('a password %s leaves the target pending, and the cluster untouched', async ([
  ,
  text,
  message,
]) => {
  const { bench } = await open();
  bench.texts.delete(secret);
  if (text !== undefined) bench.texts.set(secret, text);
  const report = await bench.deploy();
  expect(only(report)).toMatchObject({ outcome: 'pending', message: expect.stringMatching(message) });
  expect(codesOf(report)).toEqual(['Failed']);
  expect(bench.calls()).toEqual([]);
});

const path = '/api/v1/namespaces/shop/secrets/shop-tls';

/** The keystore that a version before seals left there, with whatever password. */
async function openFormer(text: string) {
  const opened = await open(password);
  const { bench } = opened;
  await bench.deploy();
  bench.texts.set(secret, text);
  const former = writeKeystore(bench.first, text, earlierKeystoreRounds).toString('base64');
  // As that version applied it: nothing tells of a seal, neither the annotation nor the fields that are ours.
  const written = JSON.stringify(await bench.admin.get(path))
    .replace(/"certrelay.dev\/keystore":"[\w-]+",?/, '')
    .replace(/"f:certrelay.dev\/keystore":\{\},?/, '')
    .replaceAll(',}', '}');
  await bench.admin.remove(path);
  bench.lab.restore({ ...JSON.parse(written), data: { 'keystore.p12': former } });
  bench.calls();
  return { ...opened, former };
}

test('a keystore of the version before stays to the byte, a guessable password is said, and the next certificate is sealed', async () => {
  const { bench, former } = await openFormer(weak);
  for (let pass = 0; pass < 2; pass += 1) {
    expect(only(await bench.deploy())).toMatchObject({
      outcome: 'unchanged',
      message: expect.stringMatching(
        /password in the AWS secret certrelay\/passwords\/shop has 15 characters.*put one of 16 or more/,
      ),
    });
  }
  expect(bench.secret()?.data['keystore.p12']).toBe(former);
  expect(sealOf(bench)).toBeUndefined();

  await bench.issue('shop', 'version-2');
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(sealOf(bench)).toMatch(/^[\w-]{43}$/);
});

test('a new Secret is refused while its password can be guessed, by a dry run too, and made with a longer one', async () => {
  const { bench } = await open(weak);
  for (const dryRun of [true, false]) {
    const report = await bench.deploy({ dryRun });
    expect(only(report)).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(/has 15 characters.*no new Secret is made/),
    });
    expect(codesOf(report)).toEqual(['Rejected']);
  }
  expect(bench.secret()).toBeUndefined();
  bench.texts.set(secret, password);
  const report = await bench.deploy({ certificates: ['shop'] });
  expect(only(report)).toMatchObject({ outcome: 'delivered', action: 'create' });
});

test.for([
  ['bytes', { data: { 'keystore.p12': Buffer.from('other').toString('base64') } }],
  ['seal', { metadata: { annotations: { 'certrelay.dev/keystore': 'A'.repeat(43) } } }],
  ['seal, taken away', { metadata: { annotations: { 'certrelay.dev/keystore': null } } }],
] as const)('a changed %s is put right, with the same bytes and seal as before', async ([, patch]) => {
  const { bench } = await open();
  await bench.deploy();
  const [bytes, seal] = [bench.secret()?.data['keystore.p12'], sealOf(bench)];
  await bench.admin.patch(path, patch);
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect([bench.secret()?.data['keystore.p12'], sealOf(bench)]).toEqual([bytes, seal]);
});

test('a certificate with the key of the one before is delivered, though its keystore has a seal', async () => {
  const { bench, opens } = await open();
  await bench.deploy();
  const before = bench.secret()?.data['keystore.p12'];
  await bench.issue('shop', 'version-2', [], { key: bench.first.key });
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(bench.secret()?.data['keystore.p12']).not.toBe(before);
  opens(password);
});
