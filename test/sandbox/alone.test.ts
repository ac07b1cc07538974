// Each part of the sandbox by itself, as `npm run sandbox -- --only PART` starts it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { createInterface } from 'node:readline';
import { CreateSecretCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { expect, onTestFinished, test } from 'vitest';
import { partNames, startAlone } from './alone.ts';

test.each(partNames)('%s starts alone, answers at the address it names, and ends', async (name) => {
  const part = await startAlone(name);
  const values = Object.values(part.environment);
  const texts = await Promise.all(
    values.map(async (value) => (value.startsWith('/') ? await readFile(value, 'utf8') : value)),
  );
  const urls = texts.join('\n').match(/https?:\/\/127\.0\.0\.1:\d+[\w/]*/g) ?? [];
  expect(urls.length).toBeGreaterThan(0);
  for (const url of urls) expect(await statusOf(url)).toBeLessThan(500);
  await part.stop();
  for (const url of urls) await expect(statusOf(url)).rejects.toThrow();
});

test('another name is refused with the names that there are', async () => {
  await expect(startAlone('s3')).rejects.toThrow(/"s3" is no part of the sandbox; use one of acm, acme,/);
});

test('the command prints what an AWS client needs, and the client works with it', async () => {
  const main = spawn(process.execPath, ['test/sandbox/main.ts', '--only', 'secrets-manager'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void main.kill('SIGKILL'));
  const environment = new Map<string, string>();
  for await (const line of createInterface(main.stdout)) {
    const [, name = '', value = ''] = /^export (\w+)='(.*)'$/.exec(line) ?? [];
    if (name === '') break;
    environment.set(name, value);
  }
  const client = new SecretsManagerClient({
    endpoint: environment.get('AWS_ENDPOINT_URL_SECRETS_MANAGER') ?? '',
    region: environment.get('AWS_REGION') ?? '',
    credentials: {
      accessKeyId: environment.get('AWS_ACCESS_KEY_ID') ?? '',
      secretAccessKey: environment.get('AWS_SECRET_ACCESS_KEY') ?? '',
    },
  });
  const made = await client.send(new CreateSecretCommand({ Name: 'shop', SecretString: 'x' }));
  client.destroy();
  expect(made.Name).toBe('shop');
  main.kill('SIGTERM');
  expect(await once(main, 'exit')).toEqual([0, null]);
});

/** HTTP status of a request that nobody signed, whoever vouches for the server. */
async function statusOf(url: string): Promise<number> {
  if (url.startsWith('http:')) return (await fetch(url, { method: 'POST' })).status;
  return new Promise((resolve, reject) => {
    request(url, { rejectUnauthorized: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    })
      .on('error', reject)
      .end();
  });
}
