// The health of what is no certificate, on both sides of every boundary, and what people acknowledge.
import { beforeEach, describe, expect, it, test } from 'vitest';
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import type { AgentRecord } from '../../lib/ports/agents.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { targetOf } from '../minting/targets.ts';
import { at, dayMs, hourMs, minuteMs, now, StatusLab } from './harness.ts';

let lab: StatusLab;
beforeEach(() => {
  lab = new StatusLab();
});

describe('W15 W22 an agent is', () => {
  const seen = { cluster: 'edge', lastSeen: at(-5 * minuteMs), version: 'abc' };
  test.each<[string, AgentRecord]>([
    ['Progressing AgentNeverSeen', { cluster: 'edge' }],
    ['Healthy Current', seen],
    ['Healthy Current', { ...seen, lastSeen: at(-hourMs) }],
    ['Degraded AgentSilent', { ...seen, lastSeen: at(-hourMs - 1) }],
    ['Degraded AgentFailing', { ...seen, problem: 'shop was not signed' }],
    ['Healthy Current', { ...seen, lastSeen: at(5 * minuteMs) }],
    ['Degraded AgentFailing', { ...seen, lastSeen: at(5 * minuteMs + 1) }],
    ['Suspended AgentDeregistered', { ...seen, lastSeen: at(-9 * dayMs), deregistered: at(-9 * dayMs) }],
  ])('%s for %o', async (word, record) => {
    lab.agents = [record];
    const { report, problems } = await lab.ask({ check: true });
    const [health, reason] = word.split(' ');
    expect(report).toMatchObject({
      signingKey: 'the-public-key',
      agents: [{ name: 'edge', health, reason }],
    });
    expect(problems).toHaveLength(health === 'Degraded' ? 1 : 0);
    expect(lab.log.events().includes('agent silent')).toBe(reason === 'AgentSilent');
  });

  test('missed an hour after status first found it named', async () => {
    lab.agents = [];
    await lab.ask();
    lab.clock.pass(hourMs);
    expect((await lab.ask()).report.agents).toMatchObject([{ health: 'Progressing' }]);
    lab.clock.pass(1);
    expect((await lab.ask()).report.agents).toMatchObject([
      { health: 'Degraded', reason: 'AgentNeverSeen', since: now },
    ]);
  });

  test('told of also where the inventory does not know its cluster', async () => {
    lab.agents = [{ cluster: 'depot', lastSeen: now }];
    expect((await lab.ask()).report.agents).toMatchObject([
      { name: 'depot', health: 'Healthy', message: expect.stringContaining('the inventory does not know') },
      { name: 'edge', reason: 'AgentNeverSeen' },
    ]);
  });
});

describe('a function is', () => {
  const functions = async (passes: StatusLab['operations']['passes'], intervals = {}) => {
    lab.operations = { passes, clusters: {} };
    const { report } = await lab.ask({ intervals });
    const scheduled = report.functions.filter(({ name }) => name !== 'notify');
    return Object.fromEntries(scheduled.map(({ name, health }) => [name, health]));
  };

  test('not running if it has made no full pass for a day, or for four of its intervals', async () => {
    const all = { issue: at(-dayMs), deploy: at(-dayMs - 1), probe: now };
    expect(await functions(all)).toEqual({ issue: 'Healthy', deploy: 'Degraded', probe: 'Healthy' });
    const rare = { deploy: 12 * hourMs, discover: hourMs };
    expect(await functions({ ...all, deploy: at(-2 * dayMs) }, rare)).toMatchObject({ deploy: 'Healthy' });
    expect(await functions({ ...all, deploy: at(-2 * dayMs - 1) }, rare)).toMatchObject({
      deploy: 'Degraded',
    });
  });

  test('given a day from the first look where nothing is recorded yet', async () => {
    expect(await functions({})).toEqual({ issue: 'Healthy', deploy: 'Healthy', probe: 'Healthy' });
    lab.clock.pass(dayMs);
    expect(await functions({})).toMatchObject({ issue: 'Healthy' });
    lab.clock.pass(1);
    expect(await functions({})).toEqual({ issue: 'Degraded', deploy: 'Degraded', probe: 'Degraded' });
  });

  test('given a day from when it has a schedule, if that came later', async () => {
    await functions({});
    lab.clock.pass(9 * dayMs);
    const ask = (discover?: Date) => functions(discover ? { discover } : {}, { discover: hourMs });
    expect(await ask()).toMatchObject({ discover: 'Progressing' });
    lab.clock.pass(dayMs);
    expect(await ask()).toMatchObject({ discover: 'Progressing' });
    lab.clock.pass(1);
    expect(await ask()).toMatchObject({ discover: 'Degraded' });
    expect(await ask(lab.clock.now())).toMatchObject({ discover: 'Healthy' });
  });

  test('given the same when its schedule was away for long, and no time if it never was', async () => {
    const ask = (last: Date) => functions({ discover: last }, { discover: hourMs, status: hourMs });
    expect(await ask(at(-dayMs - hourMs)), 'as the pass after the last good one finds it').toMatchObject({
      discover: 'Degraded',
    });
    await functions({});
    lab.clock.pass(30 * dayMs);
    expect(await ask(now)).toMatchObject({ discover: 'Progressing' });
    lab.clock.pass(dayMs);
    expect(await ask(now)).toMatchObject({ discover: 'Progressing' });
    expect(await ask(lab.clock.now())).toMatchObject({ discover: 'Healthy' });
    lab.clock.pass(60 * dayMs);
    expect(await ask(now)).toMatchObject({ discover: 'Progressing' });
    lab.clock.pass(dayMs + 1);
    for (let pass = 0; pass < 2; pass += 1) expect(await ask(now)).toMatchObject({ discover: 'Degraded' });
  });
});

describe('notify is', () => {
  const judged = async (waiting: number | undefined) => {
    lab.waiting = waiting;
    const { functions } = (await lab.ask()).report;
    return functions
      .filter(({ name }) => name === 'notify')
      .map(({ health, reason }) => `${health} ${reason}`);
  };

  test('not running if notices wait in its queue for an hour', async () => {
    expect(await judged(0)).toEqual(['Healthy Current']);
    expect(await judged(1)).toEqual(['Progressing NotRunning']);
    lab.clock.pass(hourMs);
    expect(await judged(3)).toEqual(['Progressing NotRunning']);
    lab.clock.pass(1);
    expect(await judged(3)).toEqual(['Degraded NotRunning']);
    expect(await judged(0)).toEqual(['Healthy Current']);
    lab.clock.pass(hourMs / 2);
    expect(await judged(1), 'by chance').toEqual(['Progressing NotRunning']);
  });

  test('as it was while its queue cannot be looked at', async () => {
    expect(await judged(undefined)).toEqual([]);
    await judged(1);
    lab.clock.pass(hourMs + 1);
    expect(await judged(undefined)).toEqual(['Degraded NotRunning']);
    await judged(0);
    expect(await judged(undefined)).toEqual(['Healthy Current']);
    lab.waiting = 1;
    const { report } = await lab.ask({ certificates: [] });
    expect(report.functions.at(-1), 'a call for certificates does not look').toMatchObject({
      health: 'Healthy',
    });
  });

  test('no trouble where nobody is told any more', async () => {
    await judged(1);
    lab.channels = [];
    expect(await judged(1)).toEqual([]);
  });
});

test('a CA that fails many certificates is told once, with their number', async () => {
  const problem = { since: at(-2 * dayMs), code: 'Unreachable', cause: 'issuer/default', words: 'no answer' };
  for (let index = 0; index < 3; index += 1) {
    lab.keep(`c${index}`, { failures: 4, error: 'Unreachable', nextAttempt: at(hourMs), problem });
  }
  lab.keep('well');
  const { report } = await lab.ask();
  expect(report.issuers).toMatchObject([
    { name: 'default', health: 'Degraded', reason: 'IssuerFailing', affected: 3, since: at(-2 * dayMs) },
  ]);
  expect(report.certificates[0]).toMatchObject({
    reason: 'OrderFailing',
    cause: 'issuer/default',
    message: expect.stringMatching(/^because of issuer default: 4 attempts failed, the last: no answer/),
  });
  const change = lab.events.find(({ subject }) => subject.kind === 'issuer');
  expect(change).toMatchObject({
    certificates: 3,
    message: expect.stringContaining('issuer default is Degraded'),
  });
});

test('what goes on after its cause is told by itself', async () => {
  const problem = { since: at(-2 * dayMs), code: 'Unreachable', cause: 'issuer/default', words: 'no answer' };
  lab.keep('shop', { failures: 4, error: 'Unreachable', nextAttempt: at(hourMs), problem });
  await lab.ask();
  await lab.ask();
  lab.change('shop', { problem: { since: at(-2 * dayMs), code: 'unauthorized', words: 'not your name' } });
  await lab.ask();
  await lab.ask();
  const told = lab.notices.flatMap(({ changes = [] }) =>
    changes.map(({ subject, health, cause }) => `${subject.name} ${health}, ${cause}`),
  );
  expect(told).toEqual([
    'default Degraded, null',
    'shop Degraded, issuer/default',
    'default Healthy, null',
    'shop Degraded, null',
  ]);
});

test('a cause lasts while time runs out for what it stops', async () => {
  const problem = {
    since: at(-20 * dayMs),
    code: 'Unreachable',
    cause: 'issuer/default',
    words: 'no answer',
  };
  const failing = { failures: 9, error: 'Unreachable', nextAttempt: at(hourMs), problem };
  lab.keep('shop', { ...failing, notBefore: at(-74 * dayMs), notAfter: at(16 * dayMs) });
  await lab.ask();
  lab.clock.pass(2 * dayMs);
  const { report } = await lab.ask();
  expect(report.issuers).toMatchObject([{ name: 'default', health: 'Degraded', affected: 1 }]);
  expect(report.certificates).toMatchObject([
    {
      reason: 'ExpiresSoon',
      cause: 'issuer/default',
      message: expect.stringMatching(/^valid for 14 .*: because of issuer default: 9 attempts .* no answer/),
    },
  ]);
  const told = lab.notices.flatMap(({ changes = [] }) => changes);
  const issuers = told.filter(({ subject }) => subject.kind === 'issuer');
  expect(issuers.map(({ health }) => health)).toEqual(['Degraded']);
  expect(told.at(-1)).toMatchObject({ reason: 'ExpiresSoon', cause: 'issuer/default' });
});

describe('a trouble that a person acknowledges', () => {
  const failing: CertificateState = {
    failures: 4,
    error: 'rateLimited',
    nextAttempt: at(hourMs),
    problem: { since: at(-2 * dayMs), code: 'rateLimited', words: 'too many' },
  };
  const know = (subject: string, days = 7) =>
    lab.ask({ acknowledge: { subjects: [subject], forMs: days * dayMs, words: 'the quota is asked for' } });
  const word = async () => {
    const [shop] = (await lab.ask()).report.certificates;
    return `${shop?.health} ${shop?.reason}`;
  };

  it('is suspended until the time is over, or another trouble comes, or the person says so', async () => {
    lab.keep('shop', failing);
    expect(await word()).toBe('Degraded OrderFailing');
    expect((await know('shop')).problems).toEqual([]);
    expect(await word()).toBe('Suspended Acknowledged');
    const [shop] = (await lab.ask()).report.certificates;
    expect(shop?.message).toMatch(
      /^OrderFailing, acknowledged until 2026-11-29T10.*the quota is asked for\): 4 attempts/,
    );
    expect(shop?.acknowledgedUntil).toEqual(at(7 * dayMs));
    lab.clock.pass(7 * dayMs);
    expect(await word(), 'the time is over').toBe('Degraded OrderFailing');
    await know('shop');
    expect(await word()).toBe('Suspended Acknowledged');
    lab.change('shop', { tagsDisagree: lab.clock.now() });
    expect(await word(), 'another trouble').toBe('Degraded TagsDisagree');
    lab.change('shop', failing);
    lab.clock.pass(dayMs);
    expect(await word()).toBe('Suspended Acknowledged');
    await know('shop', 0);
    expect(await word(), 'ended by hand').toBe('Degraded OrderFailing');
  });

  it('never hides that time runs out', async () => {
    lab.keep('shop', { ...failing, notBefore: at(-80 * dayMs), notAfter: at(10 * dayMs) });
    const { problems } = await know('shop');
    expect(problems.map(({ message }) => message)).toEqual([
      'shop: ExpiresSoon cannot be acknowledged, because time runs out',
    ]);
    lab.change('shop', { notBefore: at(-45 * dayMs), notAfter: at(45 * dayMs) });
    await know('shop', 60);
    expect(await word()).toBe('Suspended Acknowledged');
    lab.change('shop', { notBefore: at(-80 * dayMs), notAfter: at(10 * dayMs) });
    expect(await word()).toBe('Degraded ExpiresSoon');
  });

  it('is refused where nothing is wrong, and for what nobody knows', async () => {
    lab.keep('shop');
    const words = async (subject: string) =>
      (await know(subject)).problems.map(({ message }) => message).join();
    expect(await words('shop')).toBe('shop: it is Healthy: there is nothing to acknowledge');
    expect((await know('shop')).problems).toMatchObject([{ code: 'NotAcknowledged' }]);
    expect(await words('shpo')).toMatch(/no certificate is called "shpo", .*; did you mean "shop"\?/);
    expect(await words('cluster/lub')).toMatch(
      /nothing is called "cluster\/lub"; did you mean "cluster\/lab"\?/,
    );
    lab.specs = [];
    lab.store.kept.clear();
    lab.keep('new');
    lab.store.kept.clear();
    expect(await words('new')).toMatch(/^new: it has no AWS secret yet/);
  });

  const inLab = targetOf();
  it.each<[string, string, string, () => void]>([
    [
      'agent/edge',
      'AgentNeverSeen',
      'an agent that was never seen',
      () => {
        lab.agents = [];
      },
    ],
    [
      'shop',
      'DeliveryFailing',
      'a target whose agent is silent',
      () => {
        lab.agents = [{ cluster: 'edge', lastSeen: at(-dayMs) }];
        lab.keep('shop', {}, { targets: [targetOf({ cluster: 'edge' })] });
      },
    ],
    [
      'shop',
      'DeliveryFailing',
      'workloads that restart without an end',
      () =>
        lab.keep('shop', { deployed: describeProgress('v1', [inLab], ['applied']) }, { targets: [inLab] }),
    ],
    [
      'shop',
      'OrderFailing',
      'orders that fail, and nobody noted since when',
      () => lab.keep('shop', { failures: 2, error: 'Unreachable' }),
    ],
  ])('stays suspended where notes tell its age: %s, %s of %s', async (subject, reason, _, prepare) => {
    prepare();
    const words = async () => {
      const { certificates, agents } = (await lab.ask()).report;
      const found = subject === 'shop' ? certificates[0] : agents[0];
      return `${found?.health} ${found?.reason}`;
    };
    await words();
    lab.clock.pass(2 * dayMs);
    expect(await words()).toBe(`Degraded ${reason}`);
    expect((await know(subject)).problems).toEqual([]);
    const seen = new Set<string>();
    for (let hours = 0; hours < 30; hours += 1) {
      seen.add(await words());
      lab.clock.pass(hourMs);
    }
    expect([...seen]).toEqual(['Suspended Acknowledged']);
    lab.clock.pass(7 * dayMs);
    expect(await words(), 'the time is over').toBe(`Degraded ${reason}`);
  });

  it('may be of a cluster, and outlives passes, also those that find it well, until its time is over', async () => {
    const failing = () => ({
      lab: {
        since: new Date(lab.clock.now().getTime() - 2 * hourMs),
        code: 'Unreachable',
        words: 'connect ECONNREFUSED',
      },
    });
    const stand = async (clusters: StatusLab['operations']['clusters']) => {
      lab.operations = { ...lab.operations, clusters };
      await lab.ask();
      const [found] = (await lab.ask()).report.clusters;
      return `${found?.health} ${found?.reason}`;
    };
    await stand(failing());
    expect((await know('cluster/lab')).problems).toEqual([]);
    const { report } = await lab.ask();
    expect(report).toMatchObject({ ok: true, clusters: [{ acknowledgedUntil: at(7 * dayMs) }] });
    expect(await stand(failing())).toBe('Suspended Acknowledged');
    expect(await stand({})).toBe('Healthy Current');
    lab.clock.pass(2 * dayMs);
    expect(await stand({})).toBe('Healthy Current');
    expect(await stand(failing())).toBe('Suspended Acknowledged');
    const told = lab.notices
      .flatMap(({ changes = [] }) => changes)
      .filter(({ subject }) => subject.kind === 'cluster');
    expect(told.map(({ health }) => health)).toEqual(['Degraded', 'Suspended', 'Healthy', 'Suspended']);
    expect(await stand({})).toBe('Healthy Current');
    lab.clock.pass(5 * dayMs);
    expect(await stand({})).toBe('Healthy Current');
    expect(lab.notes?.subjects).not.toHaveProperty('cluster/lab');
    expect(await stand(failing())).toBe('Degraded ClusterFailing');
  });
});
