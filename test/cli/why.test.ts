// What `why` and `status` tell of every name that `status` prints, in a sandbox with several troubles.
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest';
import { type OperatedSandbox, startOperatedSandbox } from '../sandbox/operated.ts';
import { createOrders } from '../sandbox/orders.ts';
import { certrelay, certrelayWith, startScriptedLambda } from './harness.ts';

let sandbox: OperatedSandbox;
const run = (line: string, more: Readonly<Record<string, string>> = {}) =>
  certrelay(line, { env: { ...sandbox.environment, ...more } });

beforeAll(async () => {
  sandbox = await startOperatedSandbox();
  await sandbox.lambda.invoke('issue', {});
  await sandbox.queues.deploy.untilEmpty();
  const order = createOrders(sandbox);
  // The entry of `fallen` was lost from the inventory; `shop` ends soon, and its cluster is gone.
  for (const trouble of ['held', 'old', 'cluster']) await order(['break', trouble]);
  await sandbox.lambda.invoke('deploy', {});
}, 120_000);
afterAll(() => sandbox.stop());

describe('each name of the table of status', () => {
  it.each([
    'cluster/lab',
    'issuer/default',
    'agent/edge',
    'function/deploy',
    'certificate/shop',
  ])('%s is taken by why and by status', async (name) => {
    const story = await run(`why ${name}`);
    const short = name.replace('certificate/', '');
    expect(story.out).toMatch(new RegExp(`^${short}\n  health +\\w+, \\w+\n  why `));
    const table = await run(`status ${name}`);
    expect(table.out).toMatch(new RegExp(`^${short} `, 'm'));
    const isIll = (text: string) => new RegExp(`^${short} +Degraded|^${short}\n.*Degraded`, 'm').test(text);
    expect(story.code).toBe(isIll(story.out) ? 1 : 0);
    expect((await run(`why ${name} -o json`)).out).toMatch(/^\{/);
    expect((await run(`status ${name} -o json`)).out).toMatch(/^[[{]/);
  });

  it.each([
    'cluster/lba',
    'agent/egde',
    'issuer/defualt',
  ])('%s is answered with the nearest', async (name) => {
    for (const command of ['why', 'status']) {
      const { code, err, out } = await run(`${command} ${name}`);
      expect([code, out]).toEqual([2, '']);
      expect(err).toMatch(/did you mean (cluster\/lab|agent\/edge|issuer\/default)\?/);
    }
  });

  it('a name with a space and what controls a terminal are one name, and harmless', async () => {
    const { code, err } = await certrelayWith(['why', 'channel/web\u001b[2J hook'], {
      env: { ...sandbox.environment },
    });
    expect(code).toBe(2);
    expect(err).toMatch(/nothing is called channel\/web \[2J hook/);
  });
});

test('a cluster tells which certificates and targets it affects, and how to go on', async () => {
  const { out, err, shown } = await run('why cluster/lab');
  expect(out).toMatch(/ClusterFailing\n {2}why +.*no answer from/s);
  expect(out).toMatch(/affects +\d certificates?/);
  expect(out).toMatch(/Certificate shop\n/);
  expect(err).toMatch(/to go on, run:\n {2}npx certrelay deploy --cluster lab/);
  expect(shown).not.toMatch(/UND_ERR|fetch failed/);
});

test('a certificate that nobody renews any more tells its story, and is no mistake of whoever asks', async () => {
  const { code, out, err } = await run('why fallen');
  expect(code).toBe(1);
  expect(out).toMatch(
    /health +Degraded, Abandoned\n {2}why +nobody renews it: put it back into the inventory/,
  );
  expect(out).toMatch(/stored +expired at .*, 1\.\d days ago/);
  expect(out).toMatch(/now +nothing: nobody asks for it/);
  expect(err).toMatch(/^to go on, run:\n {2}npx serverless deploy/);
});

test('an issuer tells its own orders alone, and what issue failed by', async () => {
  const issuers = ['a', 'b'].map((name) => ({ name, health: 'Healthy', reason: 'Current' }));
  const waits = { decision: 'wait', reason: 'RateLimited', message: 'five for the same names' };
  const orders = [
    { name: 'shop', issuer: 'a', ...waits },
    { name: 'depot', issuer: 'b', ...waits },
    { name: 'older', ...waits },
  ];
  const failures = ['shop', 'depot', 'route53'].map((what) => ({
    what,
    code: 'Denied',
    message: `no ${what}`,
  }));
  const answers = new Map<string, object>([
    ['status', { ok: true, failures: [], issuers }],
    ['issue', { ok: false, failures, certificates: orders }],
  ]);
  const lambda = await startScriptedLambda((name) => ({ body: JSON.stringify(answers.get(name)) }));
  onTestFinished(() => lambda.stop());
  const { out, err, code } = await certrelay('why issuer/a', { env: lambda.env });
  expect(out).toMatch(/limit of a CA\n {2}shop +five for the same names\n$/);
  expect(err).toBe('shop: Denied: no shop\nroute53: Denied: no route53\n');
  expect(code).toBe(1);
});

test('what ends soon beside a failing cluster names the renewal, in status and why', async () => {
  for (const command of ['status shop', 'why shop']) {
    const { code, err } = await run(command);
    expect(code).toBe(1);
    expect(err).toMatch(/run:\n {2}npx certrelay renew shop/);
  }
});

test('what is over has no minus sign', async () => {
  const { shown } = await run('status', { COLUMNS: '200' });
  expect(shown).toMatch(/fallen +Degraded +1\.\d ago/);
  expect(shown).not.toMatch(/ -\d/);
});

test('retire says what becomes of each target that held the certificate, and is told of as long as it lasts', async () => {
  const planned = await run('retire fallen --dry-run');
  const target = /\n {2}lab\/shop\/\S+: the Secret stays: cluster lab does not say "prune"/;
  expect(planned.out).toMatch(target);
  const retired = await run('retire fallen --yes');
  expect(retired.out).toMatch(
    /^certificate\/fallen retiring: retired by a person .*: waits for deploy, until/,
  );
  expect(retired.out).toMatch(target);
  const { out } = await run('why fallen');
  expect(out).toMatch(
    /Progressing, Retiring\n {2}why +retired by a person .*waits for deploy, until .*held it/s,
  );
  expect((await run('status fallen')).out).toMatch(/fallen +Progressing.*Retiring +retired by a person/);
});

test('a rollback without a version before changes nothing, says so and ends with 1', async () => {
  const { code, out, err } = await run('rollback depot');
  expect(code).toBe(1);
  expect(out).not.toContain('rolled back');
  expect(`${out}${err}`).toMatch(/there is nothing to roll back to/);
  expect((await run('why depot')).out).not.toContain('frozen');
});
