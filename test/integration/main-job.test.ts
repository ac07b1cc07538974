// The main job with the production bundles, each in its own process: registered, ordered, stored, delivered,
// rolled.
import { createHash } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { verifyBundle } from '../../lib/certificate/bundle.ts';
import { deploymentUsing } from '../minting/workloads.ts';
import { prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { postDomains } from '../sandbox/webhook-call.ts';

const domains = ['shop.example.com', '*.shop.example.com'];
let sandbox: Sandbox;
const posted: unknown[] = [];

beforeAll(async () => {
  sandbox = await startSandbox({
    namespaces: ['edge', 'static'],
    manifests: deploymentUsing('edge', 'web', 'shop-tls'),
    registration: {
      zones: ['example.com'],
      issuer: 'default',
      targets: [{ cluster: 'lab', namespace: 'edge', secret: '{name}-tls' }],
    },
    certificates: [
      {
        name: 'static',
        domains: ['static.example.com'],
        issuer: 'default',
        key: 'ecdsa-p256',
        targets: [{ cluster: 'lab', namespace: 'static', secret: 'static-tls', format: 'ployst' }],
      },
    ],
  });
});
afterAll(() => sandbox.stop());

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 15_000; !isSo(); await pause(20)) {
    if (Date.now() > deadline) throw new Error(`it did not happen that ${what}`);
  }
}

/** Both queues are empty and nobody works on a message. */
async function settled(): Promise<void> {
  await sandbox.queues.issue.untilEmpty();
  await sandbox.queues.deploy.untilEmpty();
}

async function post(body: object, secret?: string) {
  const answer = await postDomains(sandbox.httpApi, body, secret);
  posted.push(answer);
  return answer;
}

function storedValue(name: string): Record<string, string> {
  const secret = sandbox.secretsManager.vault.find(`${prefix}/certificates/${name}`);
  return JSON.parse(secret?.versions.get(secret.labels.get('AWSCURRENT') ?? '')?.value.text ?? '{}');
}

function fingerprintOf(pem: string): string {
  const [first = ''] = pem.match(/-----BEGIN CERTIFICATE-----[^-]+/) ?? [];
  return createHash('sha256')
    .update(Buffer.from(first.replace(/-----.*-----/, ''), 'base64'))
    .digest('hex');
}

describe('a registered domain', () => {
  it('Y07 causes no AWS write while the request is not signed', async () => {
    const before = sandbox.journal.calls.length;
    expect((await post({ name: 'shop', domains })).status).toBe(401);
    expect((await post({ name: 'shop', domains }, 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')).status).toBe(
      401,
    );
    const made = sandbox.journal.calls.slice(before).filter(({ principal }) => principal === 'register');
    expect(made.map(({ action }) => action)).toEqual(['GetSecretValue']);
  });

  it('Y01 is ordered at once, stored, delivered, and the workload that uses it is rolled', async () => {
    const answer = await post({ name: 'shop', domains }, sandbox.webhookSecret);
    expect(answer).toMatchObject({ status: 202, body: { name: 'shop' } });
    await until('the workload was rolled', () => generationOfWeb() === 2);
    await settled();
    const stored = storedValue('shop');
    const pair = { chain: stored['tls.crt'] ?? '', key: stored['tls.key'] ?? '', domains };
    expect(verifyBundle(pair)).toMatchObject({ ok: true });
    const secret = sandbox.kubernetes.find('secrets', 'edge', 'shop-tls');
    expect(Buffer.from(String(Object(secret?.data)['tls.crt']), 'base64').toString()).toBe(pair.chain);
    expect(secret?.metadata.annotations?.['certrelay.dev/fingerprint']).toBe(fingerprintOf(pair.chain));
    expect(sandbox.route53.list('example.com').filter(({ type }) => type === 'TXT')).toEqual([]);
  });

  it('asked for again is 200, and changes nothing', async () => {
    const before = writes().length;
    expect(await post({ name: 'shop', domains }, sandbox.webhookSecret)).toMatchObject({ status: 200 });
    expect(writes().length).toBe(before);
  });
});

describe('the schedule', () => {
  it('orders what the inventory file asks for, and then finds nothing to do', async () => {
    const { answer } = await sandbox.lambda.invoke('issue', {});
    expect(answer).toMatchObject({ summary: { certificates: 2, issued: 1, keep: 1 } });
    await settled();
    const before = sandbox.journal.calls.length;
    const second = await sandbox.lambda.invoke('issue', {});
    expect(second.answer).toMatchObject({ summary: { certificates: 2, keep: 2 } });
    const made = sandbox.journal.calls.slice(before).filter(({ principal }) => principal === 'issue');
    // The first and the last are about the installation itself.
    expect(made.map(({ action }) => action).filter((action) => action !== 'ReceiveMessage')).toEqual([
      'DescribeSecret',
      'ListSecrets',
      'TagResource',
    ]);
  });

  it('P15 delivers the six ployst keys, and reconciling once more patches nothing', async () => {
    const data = Object(sandbox.kubernetes.find('secrets', 'static', 'static-tls')?.data);
    expect(Object.keys(data).toSorted()).toEqual([
      'dhparam',
      'proxycert',
      'proxykey',
      'tls.crt',
      'tls.key',
      'tls.pem',
    ]);
    const before = sandbox.journal.calls.length;
    const { answer } = await sandbox.lambda.invoke('deploy', {});
    expect(answer).toMatchObject({ certificates: [{ decision: 'unchanged' }, { decision: 'unchanged' }] });
    const calls = sandbox.journal.calls.slice(before).filter(({ service }) => service === 'kubernetes');
    expect(calls.map(({ action }) => action)).toEqual(['get secrets', 'get secrets']);
  });

  it('P19 a cluster that refuses leaves the certificate as it is: nothing is ordered again', async () => {
    const orders = sandbox.journal.count({ action: 'newOrder' });
    sandbox.faults.set(
      'kubernetes',
      'get secrets',
      { kind: 'error', code: 'InternalError', status: 500 },
      20,
    );
    expect((await sandbox.lambda.invoke('deploy', {})).error?.errorType).toBe('AggregateError');
    sandbox.faults.clear();
    await sandbox.lambda.invoke('issue', {});
    expect(sandbox.journal.count({ action: 'newOrder' })).toBe(orders);
  });

  it('P20 each function can be called alone by hand, and names a field it does not know', async () => {
    for (const name of ['issue', 'deploy']) {
      const { error } = await sandbox.lambda.invoke(name, { certificate: 'shop' });
      expect(error?.errorMessage).toContain('unknown field "certificate"');
    }
    const { answer } = await sandbox.lambda.invoke('issue', { certificates: ['shop'], force: true });
    expect(answer).toMatchObject({ certificates: [{ name: 'shop', reason: 'Forced', outcome: 'issued' }] });
    await settled();
    const orders = sandbox.journal.count({ action: 'newOrder' });
    const delivery = await sandbox.lambda.invoke('deploy', { targets: ['lab/edge/shop-tls'] });
    expect(delivery.answer).toMatchObject({ certificates: [{ name: 'shop', decision: 'unchanged' }] });
    expect(sandbox.journal.count({ action: 'newOrder' })).toBe(orders);
  });

  it('throws where a certificate failed, after all others were served, so that the alarm fires', async () => {
    sandbox.authority.settings.failValidation.add('bad.example.com');
    await sandbox.setCertificates([
      certificate('bad', ['bad.example.com']),
      certificate('good', ['good.example.com']),
    ]);
    const { error } = await sandbox.lambda.invoke('issue', { certificates: ['bad', 'good'] });
    expect(error).toMatchObject({ errorType: 'AggregateError' });
    expect(error?.errorMessage).toContain('bad.example.com');
    expect(storedValue('good')['tls.crt']).toContain('BEGIN CERTIFICATE');
    // Its next attempt is in a minute, by a message that hides until then.
    expect(sandbox.queues.issue.count()).toEqual({ visible: 0, hidden: 1 });
    await sandbox.queues.deploy.untilEmpty();
  });
});

describe('what was printed, answered and sent', () => {
  it('P21 holds no private key, token or signing secret, in any encoding', () => {
    const lines = sandbox.lambda.logs.map(({ line }) => line);
    expect(lines.length).toBeGreaterThan(50);
    const everything = [
      ...lines,
      ...posted.map((answer) => JSON.stringify(answer)),
      ...sandbox.events,
      ...sandbox.journal.calls.map((call) => JSON.stringify(call)),
    ].join('\n');
    for (const secret of secrets()) {
      for (const [encoding, text] of encodings(secret)) {
        expect(everything.includes(text), `a secret in ${encoding}`).toBe(false);
      }
    }
    expect(everything).not.toContain('PRIVATE KEY');
  });
});

/** Every key that was ever stored, and the webhook's secret. */
function secrets(): readonly Buffer[] {
  const texts = sandbox.secretsManager.vault.secrets.flatMap(({ versions }) =>
    [...versions.values()].map(({ value }) => value.text ?? ''),
  );
  const keys = texts.flatMap(
    (text) => text.match(/-----BEGIN PRIVATE KEY-----[^-]+-----END PRIVATE KEY-----/g) ?? [],
  );
  expect(keys.length).toBeGreaterThan(4);
  return [
    ...keys.map((pem) => Buffer.from(pem.replace(/\\n|-----[^-]+-----|\s/g, ''), 'base64')),
    Buffer.from(sandbox.webhookSecret.slice('whsec_'.length), 'base64'),
  ];
}

/** The middle of a secret in each encoding, cut so that the bytes around it do not matter. */
function encodings(secret: Buffer): readonly (readonly [string, string])[] {
  const cut = Math.floor(secret.length / 4);
  const middle = (shift: number) => secret.subarray(cut + shift, cut + shift + 18);
  return [0, 1, 2].flatMap((shift) => [
    ['hex', middle(shift).toString('hex')] as const,
    ['HEX', middle(shift).toString('hex').toUpperCase()] as const,
    ['base64', middle(shift).toString('base64')] as const,
    ['base64url', middle(shift).toString('base64url')] as const,
    ['bytes', middle(shift).toString('latin1')] as const,
  ]);
}

function certificate(name: string, names: readonly string[]): object {
  return { name, domains: names, issuer: 'default', key: 'ecdsa-p256' };
}

function generationOfWeb(): number {
  return Number(sandbox.kubernetes.find('deployments', 'edge', 'web')?.metadata.generation ?? 0);
}

function writes() {
  const reading = /^(Get|List|Describe|Receive|Delete(Message))/;
  return sandbox.journal.calls.filter(
    ({ service, action }) => ['secretsmanager', 'sqs', 'route53'].includes(service) && !reading.test(action),
  );
}
