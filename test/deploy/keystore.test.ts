// Targets with a PKCS#12 keystore: its password comes from an AWS secret, and nothing is written twice.
import { createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { earlierKeystoreRounds, writeKeystore } from '../../lib/certificate/pkcs12.ts';
import { targetOf } from '../minting/targets.ts';
import { codesOf, type Harness, only, openHarness } from './harness.ts';

const secret = 'certrelay/passwords/shop';
const keystoreTarget = targetOf({ format: 'pkcs12', password: { secret } });

const password = 'sixteen letters!';
const weak = 'fifteen letters';
const sealOf = (harness: Harness) => harness.secret()?.metadata.annotations?.['certrelay.dev/keystore'];

async function open(text = `${password}\n`) {
  const harness = await openHarness({ targets: [keystoreTarget] });
  harness.texts.set(secret, text);
  const opens = (passphrase: string) => {
    const pfx = Buffer.from(harness.secret()?.data['keystore.p12'] ?? '', 'base64');
    return createSecureContext({ pfx, passphrase });
  };
  return { harness, opens };
}

test('the Secret holds a keystore under the password, which is in no log, and a second run changes nothing', async () => {
  const { harness, opens } = await open();
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'create' });
  expect(Object.keys(harness.secret()?.data ?? {})).toEqual(['keystore.p12']);
  opens(password);
  harness.calls();
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(harness.calls()).toEqual(['get secrets']);
  expect(JSON.stringify(harness.log.lines)).not.toContain(password);
});

test('another password makes another keystore of the same certificate', async () => {
  const { harness, opens } = await open();
  await harness.deploy();
  harness.texts.set(secret, 'another password');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  opens('another password');
});

test('a keystore that somebody changed is put right', async () => {
  const { harness, opens } = await open();
  await harness.deploy();
  const data = { 'keystore.p12': Buffer.from('other').toString('base64') };
  await harness.admin.patch('/api/v1/namespaces/shop/secrets/shop-tls', { data });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
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
  const { harness } = await open();
  harness.texts.delete(secret);
  if (text !== undefined) harness.texts.set(secret, text);
  const report = await harness.deploy();
  expect(only(report)).toMatchObject({ outcome: 'pending', message: expect.stringMatching(message) });
  expect(codesOf(report)).toEqual(['Failed']);
  expect(harness.calls(), 'it is read, and stays').toEqual(['get secrets']);
});

const path = '/api/v1/namespaces/shop/secrets/shop-tls';

/** The keystore that a version before seals left there, with whatever password. */
async function openFormer(text: string) {
  const opened = await open(password);
  const { harness } = opened;
  await harness.deploy();
  harness.texts.set(secret, text);
  const former = writeKeystore(harness.first, text, earlierKeystoreRounds).toString('base64');
  // As that version applied it: nothing tells of a seal, neither the annotation nor the fields that are ours.
  const written = JSON.stringify(await harness.admin.get(path))
    .replace(/"certrelay.dev\/keystore":"[\w-]+",?/, '')
    .replace(/"f:certrelay.dev\/keystore":\{\},?/, '')
    .replaceAll(',}', '}');
  await harness.admin.remove(path);
  harness.lab.restore({ ...JSON.parse(written), data: { 'keystore.p12': former } });
  harness.calls();
  return { ...opened, former };
}

test('a keystore of the version before stays to the byte, a guessable password is said, and the next certificate is sealed', async () => {
  const { harness, former } = await openFormer(weak);
  for (let pass = 0; pass < 2; pass += 1) {
    expect(only(await harness.deploy())).toMatchObject({
      outcome: 'unchanged',
      message: expect.stringMatching(
        /password in the AWS secret certrelay\/passwords\/shop has 15 characters.*put one of 16 or more/,
      ),
    });
  }
  expect(harness.secret()?.data['keystore.p12']).toBe(former);
  expect(sealOf(harness)).toBeUndefined();

  await harness.issue('shop', 'version-2');
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(sealOf(harness)).toMatch(/^[\w-]{43}$/);
});

test('a new Secret is refused while its password can be guessed, by a dry run too, and made with a longer one', async () => {
  const { harness } = await open(weak);
  for (const dryRun of [true, false]) {
    const report = await harness.deploy({ dryRun });
    expect(only(report)).toMatchObject({
      outcome: 'refused',
      message: expect.stringMatching(/has 15 characters.*no new Secret is made/),
    });
    expect(codesOf(report)).toEqual(['Rejected']);
  }
  expect(harness.secret()).toBeUndefined();
  harness.texts.set(secret, password);
  const report = await harness.deploy({ certificates: ['shop'] });
  expect(only(report)).toMatchObject({ outcome: 'delivered', action: 'create' });
});

test.for([
  ['bytes', { data: { 'keystore.p12': Buffer.from('other').toString('base64') } }],
  ['seal', { metadata: { annotations: { 'certrelay.dev/keystore': 'A'.repeat(43) } } }],
  ['seal, taken away', { metadata: { annotations: { 'certrelay.dev/keystore': null } } }],
] as const)('a changed %s is put right, with the same bytes and seal as before', async ([, patch]) => {
  const { harness } = await open();
  await harness.deploy();
  const [bytes, seal] = [harness.secret()?.data['keystore.p12'], sealOf(harness)];
  await harness.admin.patch(path, patch);
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect([harness.secret()?.data['keystore.p12'], sealOf(harness)]).toEqual([bytes, seal]);
});

test('a certificate with the key of the one before is delivered, though its keystore has a seal', async () => {
  const { harness, opens } = await open();
  await harness.deploy();
  const before = harness.secret()?.data['keystore.p12'];
  await harness.issue('shop', 'version-2', [], { key: harness.first.key });
  expect(only(await harness.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  expect(harness.secret()?.data['keystore.p12']).not.toBe(before);
  opens(password);
});
