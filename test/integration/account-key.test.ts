// A new key for the account at a CA, through the function, on the sandbox: also where the process ends in the
// middle, and where two exchange it side by side.
import { createPrivateKey } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startQuietSandbox } from '../bench/quiet-sandbox.ts';
import type { Call } from '../sandbox/journal.ts';
import type { HostedZone } from '../sandbox/route53/hosted-zone.ts';
import { prefix, type Sandbox } from '../sandbox/sandbox.ts';

let sandbox: Sandbox;
let zone: HostedZone;
beforeAll(async () => {
  sandbox = await startQuietSandbox({
    zones: [],
    issuer: { challenge: 'dns-persist-01', caaIdentity: 'ca.sandbox.example' },
    certificates: [{ name: 'shop', domains: ['shop.example.com'] }],
  });
  zone = sandbox.route53.createZone('example.com');
  // Each order has to be proved anew.
  sandbox.authority.settings.authorizationReuse = false;
  await order();
}, 240_000);
afterAll(() => sandbox.stop());

const rotate = (more: object = {}) =>
  sandbox.lambda.invoke('issue', { rotateAccountKey: 'default', report: true, ...more });

async function order() {
  const { answer } = await sandbox.lambda.invoke('issue', { certificates: ['shop'], force: true });
  expect(answer).toMatchObject({ summary: { issued: 1 } });
}

function account() {
  const { vault } = sandbox.secretsManager;
  const secret = vault.secrets.find(({ name }) => name.startsWith(`${prefix}/accounts/`));
  const version = secret?.versions.get(secret.labels.get('AWSCURRENT') ?? '');
  return JSON.parse(version?.value.text ?? '{}');
}

const keyChanges = () => sandbox.journal.count({ action: 'keyChange' });

it('exchanges the key and says of which account; the next order goes on with the new one', async () => {
  const before = account();
  const { directory } = sandbox.authority;
  const about = { issuer: 'default', directory, account: before.url };
  const planned = await rotate({ dryRun: true });
  expect(planned.answer).toMatchObject({ ...about, outcome: 'planned', ok: true });
  expect(account()).toEqual(before);
  expect(keyChanges()).toBe(0);

  const { answer } = await rotate();
  const message = `account ${before.url} at ${directory} has a new key`;
  expect(answer).toMatchObject({ ...about, outcome: 'exchanged', message, ok: true });
  expect(JSON.stringify(answer)).not.toContain('PRIVATE');
  const after = account();
  expect(after).toEqual({ ...before, key: after.key });
  expect(after.key).not.toBe(before.key);
  expect(() => createPrivateKey(after.key)).not.toThrow();
  await order();
  expect(account()).toEqual(after);
  expect(sandbox.authority.accounts()).toBe(1);
});

it('finishes an exchange that was cut off between the CA and the store, with the key it began with', async () => {
  const denied = { kind: 'error', code: 'AccessDeniedException', status: 400 } as const;
  // The first write is that of the next key.
  let writes = 0;
  const changes = keyChanges();
  const isSecond = (resource: string) => resource.includes('/accounts/') && ++writes === 2;
  sandbox.faults.set('secretsmanager', 'PutSecretValue', denied, 1, isSecond);
  const { answer } = await rotate();
  expect(answer).toMatchObject({ ok: false, failures: [{ what: 'issuer/default', code: 'Denied' }] });
  expect(keyChanges() - changes).toBe(1);
  const begun = account();
  expect(begun).toHaveProperty('nextKey');
  await order();
  expect(account()).toEqual({ ...begun, key: begun.nextKey, nextKey: undefined });
  expect(keyChanges() - changes).toBe(1);
  expect(sandbox.authority.accounts()).toBe(1);
});

/** Calls the function once more, before the first call that is such. Gives what it answers. */
function rotateBefore(is: (call: Pick<Call, 'action' | 'resource'>) => boolean) {
  const meanwhile: { answer?: unknown } = {};
  let hasBegun = false;
  sandbox.journal.before(async (call) => {
    if (hasBegun || !is(call)) return;
    hasBegun = true;
    meanwhile.answer = (await rotate()).answer;
  });
  return meanwhile;
}

it('loses no key where another run exchanges it, after this one has read the account', async () => {
  const meanwhile = rotateBefore(
    ({ action, resource }) => action === 'PutSecretValue' && resource.includes('/accounts/'),
  );
  const { answer } = await rotate();
  expect(meanwhile.answer).toMatchObject({ outcome: 'exchanged' });
  expect(answer).toMatchObject({ outcome: 'exchanged' });
  await order();
  expect(sandbox.authority.accounts()).toBe(1);
});

it('is refused while a run orders at the CA, until that can be over; the order is not disturbed', async () => {
  const before = account();
  const meanwhile = rotateBefore(({ action }) => action === 'certificate');
  await order();
  expect(meanwhile.answer).toMatchObject({
    ok: false,
    failures: [{ what: 'issuer/default', code: 'OrderOpen' }],
  });
  expect(JSON.stringify(meanwhile.answer)).toContain(
    '(shop), and a new one would fail it: call again after 20',
  );
  expect(account()).toEqual(before);
});

it('says that records with a hash of the key must be renewed, which the next order does', async () => {
  const { settings } = sandbox.authority;
  settings.persistentChallenges = true;
  settings.persistentDraft = 2;
  await order();
  const count = () => zone.list().flatMap(({ type, values }) => (type === 'TXT' ? values : [])).length;
  const before = count();
  const { answer } = await rotate();
  expect(Object(answer).message).toContain('hold a hash of the old key and must be renewed');
  await order();
  expect(count() - before).toBe(1);
});

it.each([
  [{ rotateAccountKey: 'defualt' }, 'no issuer "defualt"; did you mean "default"?'],
  [{ rotateAccountKey: '__proto__' }, 'no issuer "__proto__"; there is only default'],
  [{ rotateAccountKey: 'x\u001b[2J' }, 'no issuer "x'],
  [{ rotateAccountKey: ['default'] }, 'must be the name of an issuer'],
  [{ rotateAccountKey: 'default', certificates: ['shop'] }, 'leave out the other fields but \\"dryRun\\"'],
  [{ rotateAccountKey: 'default', enqueue: false }, 'leave out the other fields but \\"dryRun\\"'],
  [{ rotateAccountKey: 'default', forecast: '9d' }, 'leave out the other fields but \\"dryRun\\"'],
])('refuses %j', async (event, words) => {
  const changes = keyChanges();
  const { answer } = await sandbox.lambda.invoke('issue', { ...event, report: true });
  expect(answer).toMatchObject({ ok: false });
  expect(JSON.stringify(answer).replaceAll('\\\\"', '\\"')).toContain(
    words.includes('no issuer') ? words.replaceAll('"', '\\"') : words,
  );
  expect(JSON.stringify(answer)).not.toContain('\\u001b');
  expect(keyChanges()).toBe(changes);
});

it('is not begun by a message of the queue', async () => {
  const body = JSON.stringify({ rotateAccountKey: 'default' });
  const Records = [{ messageId: 'one', body, eventSource: 'aws:sqs' }];
  const changes = keyChanges();
  const { answer } = await sandbox.lambda.invoke('issue', { Records });
  expect(answer).toEqual({ batchItemFailures: [{ itemIdentifier: 'one' }] });
  expect(keyChanges()).toBe(changes);
});
