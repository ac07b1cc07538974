// What is served after a delivery, with the production bundles and real TLS servers: the old certificate,
// then the new one.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Pair, serveTls, type TlsServer } from '../fakes/tls-server.ts';
import { mintChain } from '../minting/certificates.ts';
import { clusterName, prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const domain = 'shop.example.com';
let sandbox: Sandbox;
/** Two front ends at one IPv4 address, and one at an IPv6 address where this machine has any. */
let first: TlsServer;
let second: TlsServer;
let sixth: TlsServer | undefined;

beforeAll(async () => {
  const now = Date.now();
  const stranger = await mintChain({
    domains: ['other.example.com'],
    notBefore: new Date(now - 1_000),
    notAfter: new Date(now + 86_400_000),
  });
  [first, second] = [await mustServe(stranger), await mustServe(stranger)];
  sixth = await serveTls(stranger, '::1');
  const addresses = [`127.0.0.1:${first.port}`, `127.0.0.1:${second.port}`, `[::1]:${sixth?.port ?? 443}`];
  const certificate = {
    name: 'shop',
    domains: [domain],
    probe: { addresses },
    targets: [{ cluster: clusterName, namespace: 'edge', secret: 'shop-tls' }],
  };
  const twin = {
    ...certificate,
    name: 'shop-rsa',
    key: 'rsa-2048',
    targets: [{ cluster: clusterName, namespace: 'edge', secret: 'shop-rsa-tls' }],
  };
  sandbox = await startSandbox({ namespaces: ['edge'], certificates: [certificate, twin] });
});
afterAll(async () => {
  await sandbox.stop();
  for (const server of [first, second, sixth]) await server?.stop();
});

async function mustServe(pair: Pair): Promise<TlsServer> {
  const server = await serveTls(pair);
  if (!server) throw new Error('this machine has no 127.0.0.1');
  return server;
}

/** Orders and delivers; gives what a server is to serve from then on. */
async function renew(name = 'shop'): Promise<Pair> {
  const { error } = await sandbox.lambda.invoke('issue', { certificates: [name], force: true });
  if (error) throw new Error(error.errorMessage);
  await sandbox.queues.deploy.untilEmpty();
  const { data } = Object(sandbox.kubernetes.find('secrets', 'edge', `${name}-tls`));
  const text = (key: string) => Buffer.from(String(data[key]), 'base64').toString();
  return { chain: text('tls.crt'), key: text('tls.key') };
}

async function probe() {
  const { answer, error } = await sandbox.lambda.invoke('probe', {});
  if (error) throw new Error(error.errorMessage);
  const [report] = Object(answer).certificates;
  const words = report.addresses.map(({ served }: { readonly served: string }) => served);
  return { ...report, words };
}

/** The word that the tags keep. */
function keptWord(): string | undefined {
  const tags = sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/shop`).tags;
  return tags.get('certrelay:served')?.split('/')[1];
}

/** A machine without IPv6 says so of the third address, whatever it would serve there. */
const six = (word: string) => (sixth ? word : 'unprobed');

it('D05 D06 W08 each front end is told apart: by address, port and family, whoever signed what it serves', async () => {
  const old = await renew();
  expect(await probe()).toMatchObject({ delivered: true, served: 'mismatch' });

  for (const server of [first, second, sixth]) server?.serve(old);
  expect(await probe()).toMatchObject({ delivered: true, served: six('served') });
  expect(new Set(first.asked)).toEqual(new Set([domain]));

  const fresh = await renew();
  expect(await probe()).toMatchObject({ served: 'stale', words: ['stale', 'stale', six('stale')] });

  first.serve(fresh);
  expect(await probe()).toMatchObject({
    delivered: true,
    served: 'stale',
    words: ['served', 'stale', six('stale')],
    message: expect.stringContaining(`stale 127.0.0.1:${second.port}`),
  });
  expect(keptWord()).toBe('stale');

  second.serve(fresh);
  expect(await probe()).toMatchObject({ served: six('stale'), words: ['served', 'served', six('stale')] });

  sixth?.serve(fresh);
  expect(await probe()).toMatchObject({ delivered: true, served: six('served') });
  expect(keptWord()).toBe(six('served'));
});

it('an ECDSA and an RSA certificate for the same name at one address are each served', async () => {
  const pairs = [await renew(), await renew('shop-rsa')];
  for (const server of [first, second, sixth]) server?.serve(pairs);
  const { answer } = await sandbox.lambda.invoke('probe', {});
  const words = Object(answer).certificates.map(({ served }: { readonly served: string }) => served);
  expect(words).toEqual([six('served'), six('served')]);
});

it('it never reads a private key', () => {
  const actions = new Set(sandbox.journal.find({ principal: 'probe' }).map(({ action }) => action));
  expect([...actions].toSorted()).toEqual(['ListSecrets', 'TagResource']);
});
