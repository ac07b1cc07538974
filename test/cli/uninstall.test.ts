// How an installation is removed: what a person is told, and that nothing goes by it.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { top } from '../../infra/cli/checkout.ts';
import { certrelay } from './harness.ts';
import { startScriptedAws } from './scripted-aws.ts';

let stop = () => {};
afterEach(() => stop());

/** An installation of the prefix, with two AWS secrets. Notes what it is asked. */
async function installed(prefix: string) {
  const asked: string[] = [];
  const aws = await startScriptedAws((action, about) => {
    asked.push(`${action} ${about}`.trim());
    if (action === 'Invoke')
      return { body: JSON.stringify({ ok: true, installation: prefix, failures: [] }) };
    if (action !== 'ListSecrets') return undefined;
    const names = ['certificates/shop', 'webhook'].map((name) => ({ Name: `${prefix}/${name}` }));
    return { body: JSON.stringify({ SecretList: names }) };
  });
  stop = () => aws.stop();
  return { env: aws.env, asked };
}

it('shows the command that removes the stack and what stays with its price, and only looks', async () => {
  const { env, asked } = await installed('certrelay-old');
  const { out, code } = await certrelay('uninstall --stage old', { env });
  expect(out).toContain('\n    npx serverless remove --stage old --region eu-central-1\n');
  expect(out).toContain('2 AWS secrets under certrelay-old/ in eu-central-1, about 0.80 USD a month');
  expect(code).toBe(0);
  expect(asked.toSorted()).toEqual(['Invoke certrelay-old-status', 'ListSecrets']);
});

it('goes on once the functions are gone, with the prefix that a person gives', async () => {
  const { env, asked } = await installed('certrelay');
  const { out } = await certrelay('uninstall --prefix certrelay -o json', { env });
  expect(JSON.parse(out)).toMatchObject({ remove: expect.stringContaining('serverless remove') });
  expect(asked).toEqual(['ListSecrets']);
});

it.each([
  "';id'",
  '$(id)',
  'certrelay/',
  'a'.repeat(129),
])('refuses the prefix %s, which no deploy takes, before AWS is asked', async (prefix) => {
  const { env, asked } = await installed('certrelay');
  const wrong = await certrelay(`uninstall --prefix ${prefix}`, { env });
  expect(wrong).toMatchObject({ code: 2, out: '', err: expect.stringContaining('at most 128 letters') });
  expect(asked).toEqual([]);
});

it('counts no secrets of another account beside an endpoint of Lambda alone', async () => {
  const { env, asked } = await installed('certrelay');
  const { AWS_ENDPOINT_URL: url = '', ...rest } = env;
  const { out, code } = await certrelay(`uninstall --endpoint-url ${url}`, { env: rest });
  expect(out).toContain('could not be counted (--endpoint-url is that of Lambda alone');
  expect(code).toBe(0);
  expect(asked).toEqual(['Invoke status']);
});

it.each([
  ['.', 'goes by:', /^ {4}kubectl delete -f infra\/service-account\.yaml$/m],
  ['docs', 'goes in .. by:', /^ {4}kubectl delete -f \.\.\/infra\/service-account\.yaml$/m],
  ['..', '', /docs\/upgrade\.md says more/],
])('names files from the folder %s as they are reached from there', async (folder, where, line) => {
  const { env } = await installed('certrelay');
  const inventory = join(await mkdtemp(join(tmpdir(), 'certrelay-uninstall-')), 'certificates.yaml');
  await writeFile(
    inventory,
    'issuers: { default: { directory: letsencrypt, agreeToTerms: true } }\nclusters: { lab: { kubeconfig: { secret: certrelay/clusters/lab } } }\ncertificates: [{ name: shop, domains: [shop.example.com], issuer: default, targets: [{ cluster: lab, namespace: shop, secret: shop-tls }] }]\n',
  );
  const { out } = await certrelay('uninstall', {
    env: { ...env, CERTRELAY_INVENTORY: inventory },
    cwd: join(top, folder),
  });
  await rm(dirname(inventory), { recursive: true });
  expect(out).toContain(where);
  expect(out).toMatch(line);
});
