// What the webhook registered, held against today's inventory, with the production bundles: what an earlier
// version accepted has its time of grace; what stops fitting later is neither ordered nor delivered, and its
// Secret stays.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse, stringify } from 'yaml';
import { prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { postDomains } from '../sandbox/webhook-call.ts';

const dayMs = 86_400_000;
const zones = ['example.com', 'example.org'];
const target = { cluster: 'lab', namespace: 'edge', secret: '{name}-tls' };
const outside = 'add "- old.example.org" to registration.zones';
let sandbox: Sandbox;

beforeAll(async () => {
  const registration = { zones, issuer: 'default', targets: [target] };
  sandbox = await startSandbox({ zones, namespaces: ['edge'], registration });
  for (const domain of ['old.example.org', 'later.example.com']) {
    const [name] = domain.split('.');
    const { status } = await postDomains(sandbox.httpApi, { domains: [domain], name }, sandbox.webhookSecret);
    expect(status).toBe(202);
  }
  await sandbox.queues.issue.untilEmpty();
  await sandbox.queues.deploy.untilEmpty();
  // As the version before leaves it: it kept no record of the installation.
  const { vault } = sandbox.secretsManager;
  const record = vault.find(`${prefix}/installation`);
  if (record) vault.remove(record);
});
afterAll(() => sandbox.stop());

async function change(sections: object): Promise<void> {
  const inventory: object = parse(await readFile(sandbox.inventoryPath, 'utf8'));
  await writeFile(sandbox.inventoryPath, stringify({ ...inventory, ...sections }));
}

async function call(name: string, event: object = {}) {
  const { answer, error } = await sandbox.lambda.invoke(name, event);
  return answer ?? error;
}

async function lint() {
  const args = ['--against-store', '--inventory', sandbox.inventoryPath, '--prefix', prefix];
  const script = join(import.meta.dirname, '../../infra/inventory/lint-inventory.ts');
  const env = { ...process.env, ...sandbox.environment };
  const child = spawn(process.execPath, [script, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  const [said, noted] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
  return { code: child.exitCode, said, noted };
}

function inCluster(name: string) {
  return sandbox.kubernetes.find('secrets', 'edge', `${name}-tls`)?.metadata.annotations?.[
    'certrelay.dev/version'
  ];
}

function current(name: string) {
  return sandbox.secretsManager.vault.find(`${prefix}/certificates/${name}`)?.labels.get('AWSCURRENT');
}

const registration = { zones: ['example.com'], issuer: 'default', targets: [target] };

it('before the upgrade the linter names it, and nothing is refused or failing before it is noted', async () => {
  await change({ registration });
  const { code, said, noted } = await lint();
  expect([code, noted]).toEqual([1, '']);
  expect(said).toContain('add to registration.zones:   - old.example.org');
  expect(said).toContain('2 registered certificates');
  expect(said).toContain('the first full pass of the new version notes it');
  expect(await call('deploy')).toMatchObject({ certificates: expect.any(Array) });
  expect(await call('status')).toMatchObject({ summary: { Degraded: 1 } });
});

it('the first full pass notes it, and from then on it is renewed and delivered as before and named', async () => {
  expect(await call('issue')).toMatchObject({
    certificates: expect.arrayContaining([
      expect.objectContaining({ name: 'old', decision: 'keep', misfits: [expect.stringContaining(outside)] }),
    ]),
  });
  const tags = sandbox.secretsManager.vault.find(`${prefix}/certificates/old`)?.tags;
  const until = Date.parse(tags?.get('certrelay:grace-until') ?? '');
  expect(until - Date.now()).toBeGreaterThan(89 * dayMs);
  const before = current('old');
  await call('issue', { certificates: ['old'], force: true });
  await sandbox.queues.deploy.untilEmpty();
  expect(current('old')).not.toBe(before);
  expect(inCluster('old')).toBe(current('old'));
  expect(await call('deploy')).toMatchObject({
    certificates: expect.arrayContaining([
      expect.objectContaining({ name: 'old', misfits: [expect.stringContaining(outside)] }),
    ]),
  });
  expect(await call('status')).toMatchObject({ summary: { Degraded: 1 } });
});

it('what stops fitting later is not ordered, not delivered and not taken away, until it is allowed again', async () => {
  await change({ registration: { ...registration, zones: ['example.net'] } });
  const [before, delivered, orders] = [
    current('later'),
    inCluster('later'),
    sandbox.journal.count({ action: 'newOrder' }),
  ];
  expect(await call('issue', { certificates: ['later'], force: true })).toMatchObject({
    certificates: [
      { decision: 'wait', reason: 'NotAllowed', message: expect.stringContaining('- later.example.com') },
    ],
  });
  expect(sandbox.journal.count({ action: 'newOrder' })).toBe(orders);
  expect(JSON.stringify(await call('deploy'))).toContain('not delivered; the target stays as it is');
  expect([current('later'), inCluster('later')]).toEqual([before, delivered]);
  expect(await call('status')).toMatchObject({ summary: { Degraded: 2 } });

  await change({ registration: undefined });
  expect(await call('issue')).toMatchObject({
    certificates: expect.arrayContaining([
      expect.objectContaining({
        name: 'later',
        message: expect.stringContaining('no section "registration"'),
      }),
    ]),
  });
  expect(inCluster('later')).toBe(delivered);

  await change({ registration });
  await call('issue');
  expect(await call('status')).toMatchObject({ summary: { Degraded: 1 } });
  await call('issue', { certificates: ['later'], force: true });
  await sandbox.queues.deploy.untilEmpty();
  expect(current('later')).not.toBe(before);
  expect(inCluster('later')).toBe(current('later'));
});
