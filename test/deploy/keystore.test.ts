// Targets with a PKCS#12 keystore: its password comes from an AWS secret, and nothing is written twice.
import { createSecureContext } from 'node:tls';
import { expect, test } from 'vitest';
import { targetOf } from '../certificate/targets.ts';
import { codesOf, only, openBench } from './bench.ts';

const secret = 'certrelay/passwords/shop';
const keystoreTarget = targetOf({ format: 'pkcs12', password: { secret } });

async function open() {
  const bench = await openBench({ targets: [keystoreTarget] });
  bench.texts.set(secret, 'geheim\n');
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
  opens('geheim');
  bench.calls();
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'unchanged' });
  expect(bench.calls()).toEqual(['get secrets']);
  expect(JSON.stringify(bench.log.lines)).not.toContain('geheim');
});

test('another password makes another keystore of the same certificate', async () => {
  const { bench, opens } = await open();
  await bench.deploy();
  bench.texts.set(secret, 'other');
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  opens('other');
});

test('a keystore that somebody changed is put right', async () => {
  const { bench, opens } = await open();
  await bench.deploy();
  const data = { 'keystore.p12': Buffer.from('other').toString('base64') };
  await bench.admin.patch('/api/v1/namespaces/shop/secrets/shop-tls', { data });
  expect(only(await bench.deploy())).toMatchObject({ outcome: 'delivered', action: 'apply' });
  opens('geheim');
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
