// A command that was asked for something by name ends well only if it happened, or waits for a time that a
// rule of one's own says.
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { answering, certrelay, type Situation } from './harness.ts';

const until = '2030-01-01T00:00:00.000Z';
const wait = { decision: 'wait', message: 'why' };

describe('renew', () => {
  it.each([
    ['a failure before', { reason: 'BackingOff', until }, 'renew shop --force'],
    ['a pause', { reason: 'Paused' }, 'unpause shop'],
    ['DNS', { reason: 'PreflightFailed' }, 'renew shop'],
    ['a retirement', { reason: 'Retiring', outcome: 'waiting' }, 'status shop'],
    ['a limit of the CA', { reason: 'RateLimited', until }, 'status shop'],
    ['another run', { reason: 'InFlight', until }, 'status shop'],
    ['the inventory', { reason: 'NotAllowed' }, 'status shop'],
    ['a CA that is slow', { decision: 'order', outcome: 'waiting' }, 'status shop'],
    ['time that ran out', { decision: 'order' }, 'status shop'],
  ])('of a name ends with 1 and the next command if %s is in the way', async (_, line, next) => {
    const lambda = await answering({ certificates: [{ name: 'shop', ...wait, ...line }] });
    const ended = await certrelay('renew shop --stage dev', lambda);
    expect(ended).toMatchObject({ code: 1, err: `to go on, run:\n  npx certrelay ${next}\n` });
    expect(ended.out).toMatch(/^certificate\/shop (waits|is due): why\n$/);
    // A pass over everything ends as that of the schedule does: status tells what waits.
    expect(await certrelay('renew', lambda)).toMatchObject({ code: 0, err: '' });
    expect(await certrelay('renew shop --dry-run', lambda)).toMatchObject({ code: 0 });
  });

  it.each([
    ['it is issued', { decision: 'order', outcome: 'issued' }],
    ['nothing is due', { decision: 'keep' }],
    ['it needed none any more', { decision: 'order', outcome: 'kept' }],
    ['it waits for the end of a pause', { ...wait, reason: 'Paused', until }],
    ['it is let go, which now has ended', { ...wait, reason: 'Retiring', outcome: 'retired' }],
  ])('of a name ends with 0 if %s', async (_, line) => {
    const lambda = await answering({ certificates: [{ name: 'shop', message: 'why', ...line }] });
    expect(await certrelay('renew shop', lambda)).toMatchObject({ code: 0, err: '' });
  });
});

it.each([
  'waiting',
  'retired',
])('renew --force, which means an order, names what brings back one that is let go (%s)', async (outcome) => {
  const lambda = await answering({ certificates: [{ name: 'shop', ...wait, reason: 'Retiring', outcome }] });
  const ended = await certrelay('renew shop --force', lambda);
  expect(ended).toMatchObject({ code: 1, err: 'to go on, run:\n  npx certrelay restore shop\n' });
});

it('a failure of a name that tells no command is followed by one, and one that tells it is not', async () => {
  const failure = { what: 'shop', code: 'rejectedIdentifier', message: 'policy forbids it' };
  const line = {
    name: 'shop',
    decision: 'order',
    outcome: 'failed',
    reason: 'Forced',
    message: 'policy forbids it',
  };
  const target = { target: 'lab/shop/tls', outcome: 'pending', message: 'policy forbids it' };
  for (const [command, certificates] of [
    ['renew shop --force', [line]],
    ['deploy shop', [{ name: 'shop', targets: [target] }]],
  ] as const) {
    const run = async (more: object) =>
      certrelay(command, await answering({ ok: false, certificates, failures: [{ ...failure, ...more }] }));
    const said = 'shop: rejectedIdentifier: policy forbids it\nto go on, run:\n  npx certrelay';
    expect(await run({})).toMatchObject({ code: 1, err: `${said} status shop\n` });
    expect(await run({ command: 'npx certrelay plan' })).toMatchObject({ code: 1, err: `${said} plan\n` });
    // A word that was typed wrong is told with what is right.
    expect((await run({ code: 'Unknown' })).err).not.toContain('to go on');
  }
});

describe('deploy', () => {
  const answerOf = (target: object) => ({
    certificates: [{ name: 'shop', targets: [{ target: 'lab/shop/tls', message: 'why', ...target }] }],
  });

  it.each([
    ['is frozen', answerOf({ outcome: 'held' }), 'resume shop'],
    ['is not complete', answerOf({ outcome: 'pending' }), 'status shop'],
    ['is refused', answerOf({ outcome: 'refused' }), 'status shop'],
    [
      'is not issued',
      { certificates: [{ name: 'shop', decision: 'skip', reason: 'NotIssued', message: 'why' }] },
      'renew shop',
    ],
    [
      'is asked for by nobody',
      { certificates: [{ name: 'shop', decision: 'skip', reason: 'Unused', message: 'why' }] },
      'status shop',
    ],
  ])('of a name or a cluster ends with 1 and the next command if it %s', async (_, answer, next) => {
    const lambda = await answering(answer);
    const err = `to go on, run:\n  npx certrelay ${next} --region eu-west-1\n`;
    expect(await certrelay('deploy shop --region eu-west-1', lambda)).toMatchObject({ code: 1, err });
    expect(await certrelay('deploy --cluster lab', lambda)).toMatchObject({ code: 1 });
    expect(await certrelay('deploy', lambda)).toMatchObject({ code: 0, err: '' });
    expect(await certrelay('deploy shop --dry-run', lambda)).toMatchObject({ code: 0, err: '' });
  });

  it.each([
    ['waits for its window', answerOf({ outcome: 'waiting' })],
    ['has it already', answerOf({ outcome: 'unchanged' })],
    ['has no target', { certificates: [{ name: 'shop', decision: 'skip', message: 'it has no targets' }] }],
  ])('of a name ends with 0 if it %s', async (_, answer) => {
    expect(await certrelay('deploy shop', await answering(answer))).toMatchObject({ code: 0, err: '' });
  });

  const pods =
    'to go on, run:\n  kubectl --context lab -n shop get deployments,statefulsets,daemonsets,pods\n';
  const rollingOut = answerOf({ outcome: 'pending', action: 'keep' });

  it('shows the pods if workloads do not run with the Secret yet', async () => {
    const lambda = await answering(rollingOut);
    expect(await certrelay('deploy shop', lambda)).toMatchObject({ code: 1, err: pods });
    expect(await certrelay('deploy', lambda)).toMatchObject({ code: 0, err: pods });
    expect(await certrelay('deploy --dry-run', lambda)).toMatchObject({ code: 0, err: '' });
  });

  it('shows them if a rollout has failed, below the failure', async () => {
    const failures = [{ what: 'lab/shop/tls', code: 'RolloutFailed', message: 'why' }];
    const lambda = await answering({ ...rollingOut, ok: false, failures });
    for (const line of ['deploy', 'deploy shop'])
      expect(await certrelay(line, lambda)).toMatchObject({
        code: 1,
        out: 'certificate/shop pending in lab/shop/tls\n',
        err: `lab/shop/tls: RolloutFailed: why\n${pods}`,
      });
  });

  it('holds a version back at a rollback, which is what was asked for; not so for one that cannot be reached', async () => {
    expect(await certrelay('rollback shop', await answering(answerOf({ outcome: 'held' })))).toMatchObject({
      code: 0,
    });
    expect(await certrelay('rollback shop', await answering(answerOf({ outcome: 'pending' })))).toMatchObject(
      { code: 1 },
    );
    expect(await certrelay('resume shop', await answering(answerOf({ outcome: 'pending' })))).toMatchObject({
      code: 1,
    });
  });
});

describe('against the sandbox', () => {
  let sandbox: Sandbox;
  let here: Situation;
  beforeAll(async () => {
    const targets = (secret: string) => [{ cluster: 'lab', namespace: 'shop', secret }];
    sandbox = await startSandbox({
      namespaces: ['shop'],
      certificates: [
        { name: 'shop', domains: ['shop.example.com'], issuer: 'default', targets: targets('shop-tls') },
        // Nobody has a hosted zone for it.
        { name: 'away', domains: ['away.example.net'], issuer: 'default', targets: targets('away-tls') },
      ],
      registration: { zones: ['example.com'], issuer: 'default', targets: targets('{name}-tls') },
    });
    here = { env: sandbox.environment };
    // The bundles are built first, if nobody has built them yet.
  }, 300_000);
  afterAll(() => sandbox.stop());

  it('a script goes on after what happened, and stops after what did not', async () => {
    const away = await certrelay('renew away', here);
    expect(away.out).toMatch(/^certificate\/away waits: .*away\.example\.net/);
    expect(away).toMatchObject({ code: 1, err: expect.stringContaining('npx certrelay renew away') });
    const undelivered = await certrelay('deploy away', here);
    expect(undelivered.out).toBe('certificate/away skipped: it has not been issued yet\n');
    expect(undelivered).toMatchObject({ code: 1, err: expect.stringContaining('npx certrelay renew away') });
    expect(await certrelay('renew shop', here)).toMatchObject({ code: 0, err: '' });
    await certrelay('pause shop --until 7d', here);
    expect(await certrelay('renew shop', here)).toMatchObject({ code: 0, err: '' });
    const forced = await certrelay('renew shop --force', here);
    expect(forced).toMatchObject({ code: 1, err: expect.stringContaining('npx certrelay unpause shop') });
  });

  it('list says of a certificate that is let go until when it can be restored', async () => {
    await certrelay('register bye --domain bye.example.com', here);
    await certrelay('unregister bye --yes', here);
    const { out } = await vi.waitFor(
      async () => {
        const listed = await certrelay('list', here);
        expect(listed.out).toMatch(/\nbye +reti(ring|red) .*\d{4}-\d\d-\d\d/);
        return listed;
      },
      { timeout: 30_000, interval: 200 },
    );
    expect(out).toMatch(/^NAME +SOURCE +ENDS +GOES +TARGETS/);
    expect(out).toMatch(/\nshop +inventory +\d{4}-\d\d-\d\d +lab\/shop\/shop-tls +shop\.example\.com\n/);
  });
});
