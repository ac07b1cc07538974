// Passwords of keystores, looked at before a deploy, with the credentials of whoever deploys.
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, onTestFinished, test } from 'vitest';
import { findWeakPasswords } from '../../infra/deploy/weak-passwords.ts';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import { targetOf } from '../minting/targets.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { startSecretsManager } from '../sandbox/secrets-manager/server.ts';

const config = { region: 'eu-central-1', credentials: { accessKeyId: 'AKIA', secretAccessKey: 'test' } };
const shop = (...secrets: readonly string[]): CertificateSpec => ({
  name: 'shop',
  domains: ['shop.example.com'],
  issuer: 'default',
  key: 'ecdsa-p256',
  targets: secrets.map((secret) => targetOf({ format: 'pkcs12', secret, password: { secret } })),
});

async function open(texts: Readonly<Record<string, string>>) {
  const [journal, faults] = [new Journal(), new Faults()];
  const server = await startSecretsManager({ journal, faults });
  const client = new SecretsManagerClient({ ...config, endpoint: server.url });
  for (const [Name, SecretString] of Object.entries(texts))
    await client.send(new CreateSecretCommand({ Name, SecretString }));
  client.destroy();
  journal.clear();
  onTestFinished(() => server.stop());
  const provider = { getAwsSdkV3Config: async () => ({ ...config, endpoint: server.url }) };
  return { faults, journal, provider };
}

test('each password that can be guessed is named once, with what to do, and none is printed', async () => {
  const { provider, journal } = await open({ weak: 'fifteen letters\n', strong: 'sixteen letters!\n' });
  const certificates = [shop('weak', 'strong'), shop('weak')];
  const lines = await findWeakPasswords({ certificates }, provider);
  expect(lines).toEqual([
    expect.stringMatching(/password in the AWS secret weak has 15 characters.*put one of 16 or more there/),
  ]);
  expect(lines.join()).not.toContain('fifteen letters');
  expect(journal.count({ action: 'GetSecretValue' })).toBe(2);
});

test('a password that may not be read, or is not there yet, is no reason to end, and is said', async () => {
  const { faults, provider } = await open({ secret: 'fifteen letters' });
  expect(await findWeakPasswords({ certificates: [shop('later')] }, provider)).toEqual([
    expect.stringMatching(/AWS secret later was not looked at \(ResourceNotFoundException/),
  ]);
  faults.set(
    'secretsmanager',
    'GetSecretValue',
    { kind: 'error', code: 'AccessDeniedException', status: 400 },
    5,
  );
  expect(await findWeakPasswords({ certificates: [shop('secret')] }, provider)).toEqual([
    expect.stringMatching(/AWS secret secret was not looked at \(AccessDeniedException/),
  ]);
  const getAwsSdkV3Config = () => Promise.reject(new Error('no credentials'));
  expect(await findWeakPasswords({ certificates: [shop('secret')] }, { getAwsSdkV3Config })).toEqual([
    'the passwords of keystores were not looked at: no credentials',
  ]);
});

test('without a keystore nobody is asked anything', async () => {
  const getAwsSdkV3Config = () => Promise.reject(new Error('was asked'));
  const certificates = [{ ...shop(), targets: [targetOf({})] }];
  expect(await findWeakPasswords({ certificates }, { getAwsSdkV3Config })).toEqual([]);
});
