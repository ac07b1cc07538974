// What earlier systems for this job did, tried on the whole path with the production bundles in processes of
// their own.
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { PutSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { verifyBundle } from '../../lib/certificate/bundle.ts';
import { findBuilt } from '../built.ts';
import { openAdmin } from '../contracts/kubernetes-admin.ts';
import { mintChain } from '../minting/certificates.ts';
import { credentialsOf, prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const twenty = Array.from({ length: 20 }, (_, index) => ({
  cluster: 'lab',
  namespace: `team-${index % 4}`,
  secret: `many-${index}`,
}));
const many = { name: 'many', domains: ['many.example.com', '*.many.example.com'], targets: twenty };
const shop = { name: 'shop', domains: ['shop.example.org', 'www.shop.example.org'] };
const single = {
  name: 'single',
  domains: ['single.example.com'],
  targets: [{ cluster: 'lab', namespace: 'single', secret: 'single-tls' }],
};

let sandbox: Sandbox;
let firstPass: unknown;

beforeAll(async () => {
  sandbox = await startSandbox({
    zones: ['example.com', 'example.org'],
    namespaces: ['team-0', 'team-1', 'team-2', 'team-3', 'single'],
    certificates: [many, shop, single],
  });
  firstPass = await issue();
  await sandbox.queues.deploy.untilEmpty();
});
afterAll(() => sandbox.stop());

async function issue(event: object = {}): Promise<unknown> {
  const { answer, error } = await sandbox.lambda.invoke('issue', event);
  return answer ?? error;
}

/** Text and version of what AWSCURRENT is on. */
function current(name: string): { readonly version: string; readonly text: string } {
  const secret = sandbox.secretsManager.vault.find(`${prefix}/certificates/${name}`);
  const version = secret?.labels.get('AWSCURRENT') ?? '';
  return { version, text: secret?.versions.get(version)?.value.text ?? '' };
}

const storedPair = z.object({ 'tls.crt': z.string(), 'tls.key': z.string() });

function verdictOn(name: string, domains: readonly string[]) {
  const { 'tls.crt': chain, 'tls.key': key } = storedPair.parse(JSON.parse(current(name).text));
  return verifyBundle({ chain, key, domains });
}

/** Every call that changed something since the journal had that many calls. */
function changesSince(count: number): readonly string[] {
  const reading = /^(Get|List|Describe|Receive|get |list )/;
  return (
    sandbox.journal.calls
      .slice(count)
      .filter(({ service }) => ['secretsmanager', 'route53', 'acme', 'kubernetes'].includes(service))
      // That a pass has ended is noted by each of them.
      .filter(({ resource }) => !resource.includes(`:secret:${prefix}/installation-`))
      .flatMap(({ action }) => (reading.test(action) ? [] : [action]))
  );
}

describe('the first pass over three certificates in two zones', () => {
  it('D02 orders once for twenty targets', () => {
    expect(firstPass).toMatchObject({ summary: { certificates: 3, issued: 3 } });
    expect(sandbox.journal.count({ action: 'newOrder' })).toBe(3);
    const delivered = twenty.map(({ namespace, secret }) => {
      const found = sandbox.kubernetes.find('secrets', namespace, secret);
      return found?.metadata.annotations?.['certrelay.dev/version'];
    });
    expect(delivered).toEqual(twenty.map(() => current('many').version));
  });

  it('D03 needs nothing that answers at the names: they have no address', () => {
    for (const zone of ['example.com', 'example.org']) {
      expect(sandbox.route53.list(zone).map(({ type }) => type)).toEqual(['NS', 'SOA']);
    }
    expect(verdictOn('shop', shop.domains)).toMatchObject({ ok: true });
  });

  it('K28 proves all names side by side: one change a zone, one wait, then every challenge', () => {
    const calls = sandbox.journal.calls.map(({ action }) => action);
    const of = (action: string) => calls.filter((one) => one === action).length;
    const added = calls.indexOf('challenge');
    expect(calls.slice(0, added).filter((one) => one === 'ChangeResourceRecordSets')).toHaveLength(2);
    expect(of('ChangeResourceRecordSets'), 'added in each zone, removed in each zone').toBe(4);
    expect(of('GetChange')).toBe(2);
    expect(calls.lastIndexOf('GetChange')).toBeLessThan(added);
    expect(of('challenge')).toBe(5);
  });

  it('D08 tells of each order as it is made, in one line of JSON', () => {
    const lines = sandbox.lambda.logs
      .map(({ line }) => line)
      .filter((line) => line.includes('"order created"'));
    const told = lines.map((line): unknown => JSON.parse(line));
    for (const { name, domains } of [many, shop, single]) {
      const orderUrl = expect.stringMatching(/^https:\/\/127\.0\.0\.1:\d+\/acme\/order\//);
      const line = { level: 'INFO', message: 'order created', certificate: name, names: domains, orderUrl };
      expect(told).toContainEqual(expect.objectContaining(line));
    }
    expect(told).toHaveLength(3);
  });
});

describe('a later pass', () => {
  it('K04 K06 finds what a person broke by hand in Secrets Manager, and orders it again', async () => {
    const torn = { name: 'torn', domains: ['torn.example.com'] };
    await sandbox.setCertificates([torn, shop]);
    await issue({ certificates: ['torn'] });
    const notBefore = new Date();
    const notAfter = new Date(notBefore.getTime() + 60 * 86_400_000);
    const { key } = await mintChain({ domains: shop.domains, notBefore, notAfter });
    await putByHand('torn', JSON.stringify({ ...JSON.parse(current('torn').text), 'tls.crt': undefined }));
    await putByHand('shop', JSON.stringify({ ...JSON.parse(current('shop').text), 'tls.key': key }));
    expect(await issue({ dryRun: true })).toMatchObject({
      certificates: expect.arrayContaining([
        expect.objectContaining({ name: 'torn', decision: 'order', reason: 'Unparsable' }),
        expect.objectContaining({ name: 'shop', decision: 'order', reason: 'KeyMismatch' }),
      ]),
    });
    expect(await issue()).toMatchObject({ summary: { issued: 2 } });
    expect(verdictOn('torn', torn.domains)).toMatchObject({ ok: true });
    expect(verdictOn('shop', shop.domains)).toMatchObject({ ok: true });
  });

  it('K36 leaves alone what was delivered for a definition that is gone, and goes on when it is back', async () => {
    const path = ['secrets', 'single', 'single-tls'] as const;
    const [stored, delivered] = [current('single'), sandbox.kubernetes.find(...path)];
    expect(delivered?.metadata.annotations?.['certrelay.dev/version']).toBe(stored.version);
    await sandbox.setCertificates([shop]);
    const before = sandbox.journal.calls.length;
    expect(await issue()).toMatchObject({ summary: { certificates: 1, keep: 1 } });
    const { answer } = await sandbox.lambda.invoke('deploy', { certificates: ['single'] });
    const message = 'it is neither in the inventory nor registered';
    expect(answer).toMatchObject({ certificates: [{ name: 'single', decision: 'skip', message }] });
    expect(changesSince(before)).toEqual([]);
    expect([current('single'), sandbox.kubernetes.find(...path)]).toEqual([stored, delivered]);

    const admin = openAdmin(sandbox.kubernetes.kubeconfig('admin'));
    await admin.remove('/api/v1/namespaces/single/secrets/single-tls');
    await admin.close();
    await sandbox.setCertificates([shop, single]);
    expect(await issue()).toMatchObject({ summary: { certificates: 2, keep: 2 } });
    await sandbox.lambda.invoke('deploy', {});
    expect(sandbox.kubernetes.find(...path)).toMatchObject({ data: delivered?.data });
  });

  it('D14 keeps all that it knows in Secrets Manager: it runs where nothing can be written', async () => {
    const fresh = { name: 'fresh', domains: ['fresh.example.com'] };
    await sandbox.setCertificates([shop, fresh]);
    expect(await runWithoutDisk('issue')).toMatchObject({ summary: { issued: 1, keep: 1 } });
    const before = sandbox.journal.calls.length;
    expect(await runWithoutDisk('issue')).toMatchObject({ summary: { keep: 2 } });
    expect(changesSince(before)).toEqual([]);
  });

  it('P18 waits while another process orders, and takes the claim over once that must be dead', async () => {
    const claimed = { name: 'claimed', domains: ['claimed.example.com', '*.claimed.example.com'] };
    await sandbox.setCertificates([claimed]);
    const orders = sandbox.journal.count({ action: 'newOrder' });
    const reached = Promise.withResolvers<void>();
    let isHeld = false;
    sandbox.journal.before(async ({ action }) => {
      if (action !== 'challenge' || isHeld) return;
      isHeld = true;
      reached.resolve();
      await new Promise(() => {});
    });
    const doomed = sandbox.lambda.invoke('issue', {}, { remainingMs: 6_500 });
    await reached.promise;
    const { certificates } = waiting.parse(await issue());
    for (const pid of sandbox.lambda.pids('issue')) process.kill(pid, 'SIGKILL');
    expect((await doomed).error?.errorType).toBe('Runtime.ExitError');
    await pause(certificates[0].until.getTime() - Date.now());

    // The pass that waited has sent itself a message for the same instant: whichever of the two is first
    // takes over.
    const judged = async () => Object(await issue()).certificates[0];
    await expect.poll(judged).toMatchObject({ decision: 'keep' });
    expect(verdictOn('claimed', claimed.domains)).toMatchObject({ ok: true });
    expect(sandbox.journal.count({ action: 'newOrder' }) - orders).toBe(1);
    expect(sandbox.route53.list('example.com').filter(({ type }) => type === 'TXT')).toEqual([]);
  }, 60_000);
});

describe('by hand', () => {
  it('M01 a call by hand orders one certificate while no cluster can be reached', async () => {
    await sandbox.setCertificates([shop, single]);
    await sandbox.kubernetes.stop();
    const before = current('single').version;
    const { answer } = await sandbox.lambda.invoke('issue', { certificates: ['single'], force: true });
    expect(answer).toMatchObject({
      certificates: [
        { name: 'single', reason: 'Forced', outcome: 'issued', version: current('single').version },
      ],
    });
    expect(current('single').version).not.toBe(before);
  });
});

const waiting = z.object({
  certificates: z.tuple([
    z.object({
      decision: z.literal('wait'),
      reason: z.literal('InFlight'),
      until: z.iso.datetime().transform((instant) => new Date(instant)),
    }),
  ]),
});

async function putByHand(name: string, text: string): Promise<void> {
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
    credentialsOf('operator');
  const client = new SecretsManagerClient({
    endpoint: sandbox.secretsManager.url,
    region: 'eu-central-1',
    credentials: { accessKeyId, secretAccessKey },
  });
  const secret = { SecretId: `${prefix}/certificates/${name}`, SecretString: text };
  await client.send(new PutSecretValueCommand(secret));
  client.destroy();
}

/** Calls a function once with `{}`, in a process that may read files and write none; gives its answer. */
async function runWithoutDisk(name: string): Promise<unknown> {
  const script = `
    const { handler } = await import(process.argv[1]);
    const answer = await handler({}, { awsRequestId: 'by-hand', getRemainingTimeInMillis: () => 60_000 });
    console.log(JSON.stringify(answer));`;
  const bundle = join((await findBuilt('bundles')) ?? '', name, 'index.js');
  const args = ['--permission', '--allow-fs-read=*', '--input-type=module', '--eval', script, bundle];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env: sandbox.environment });
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
}
