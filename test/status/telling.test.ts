// What `status` tells of changes, and that nothing of it is lost: not by a crash, not by a list that lags.
import { beforeEach, describe, expect, it } from 'vitest';
import { healthReasons } from '../../lib/policy/health/reasons.ts';
import type { OperationRecord } from '../../lib/ports/operations.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { parseNotifyEvent } from '../../lib/requests/notify.ts';
import { decodeState } from '../../lib/state/codec/tags.ts';
import { encodeText } from '../../lib/state/codec/text.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { targetOf } from '../minting/targets.ts';
import { at, dayMs, hourMs, minuteMs, now, StatusLab } from './harness.ts';

let lab: StatusLab;
beforeEach(() => {
  lab = new StatusLab();
});

/** Everything that was told on both ways, as `shop Healthy > Degraded Expired`. */
const told = () => {
  const read = (
    changes: readonly {
      readonly subject: { readonly name: string };
      readonly previousHealth?: unknown;
      readonly health?: unknown;
      readonly reason?: unknown;
    }[],
  ) =>
    changes.map(({ subject, previousHealth, health, reason }) =>
      [subject.name, previousHealth, '>', health, reason].join(' '),
    );
  return { events: read(lab.events), notices: lab.notices.flatMap(({ changes = [] }) => read(changes)) };
};

/** Certificates of the inventory that have no AWS secret. */
const specs = (count: number) =>
  Array.from({ length: count }, (_, index) => {
    const name = `site-${'x'.repeat(48)}-${index}`;
    const domains = [`${name}.example.com`];
    return { name, domains, issuer: 'default', key: 'ecdsa-p256' as const, targets: [] };
  });

describe('a change', () => {
  it('is told once on each way, noted with its beginning, and so is its end', async () => {
    lab.keep('shop', { notAfter: at(-hourMs) });
    await lab.ask();
    const change = lab.notices[0]?.changes?.[0];
    expect(change).toEqual({
      subject: { kind: 'certificate', name: 'shop' },
      domains: ['shop.example.com'],
      health: 'Degraded',
      previousHealth: 'Healthy',
      reason: 'Expired',
      message:
        'shop is Degraded: expired at 2026-11-22T09:00:00.000Z, 1 hour ago: nothing that is recorded stands in its way',
      since: at(-hourMs),
      cause: null,
      certificates: null,
      version: 'v1',
      notAfter: at(-hourMs),
      expiresInDays: -0.1,
      targets: null,
      command: expect.stringContaining('npx certrelay renew shop'),
    });
    expect(lab.state('shop').health).toMatchObject({
      health: 'Degraded',
      reason: 'Expired',
      since: at(-hourMs),
    });
    lab.clock.pass(hourMs);
    await lab.ask();
    expect(told()).toEqual({
      events: ['shop Healthy > Degraded Expired'],
      notices: ['shop Healthy > Degraded Expired'],
    });
    lab.change('shop', { notAfter: at(45 * dayMs) });
    await lab.ask();
    await lab.ask();
    expect(told().events).toEqual(['shop Healthy > Degraded Expired', 'shop Degraded > Healthy Current']);
    expect(told().notices).toEqual(told().events);
    expect(lab.state('shop').health, 'no note is left').toBeUndefined();
    expect(lab.log.events().filter((event) => event === 'health changed')).toHaveLength(2);
  });

  it('of two hundred certificates is one message', async () => {
    for (let index = 0; index < 200; index += 1) lab.keep(`c${index}`, { notAfter: at(-1) });
    await lab.ask();
    expect(lab.notices.map(({ changes }) => changes?.length)).toEqual([200]);
  });

  it('of the reason alone is told as well', async () => {
    lab.keep('shop', { tagsDisagree: now });
    await lab.ask();
    lab.change('shop', { notAfter: now });
    await lab.ask();
    expect(told().events).toEqual([
      'shop Healthy > Degraded TagsDisagree',
      'shop Degraded > Degraded Expired',
    ]);
  });

  it('that comes again with its old beginning has an id of its own, and one that is repeated has not', async () => {
    const problem = { since: at(-2 * dayMs), code: 'unauthorized', words: 'not your name' };
    lab.keep('shop', { failures: 4, error: 'unauthorized', nextAttempt: at(hourMs), problem });
    lab.agents = [];
    lab.sections = { clusters: {} };
    for (const what of ['record', 'notes'] as const) lab.broken.add(what);
    await lab.ask();
    lab.broken.clear();
    await lab.ask();
    const acknowledge = { subjects: ['shop'], forMs: dayMs, words: 'the quota is asked for' };
    for (let turn = 0; turn < 3; turn += 1) {
      await lab.ask({ acknowledge });
      lab.operations = {
        passes: { issue: lab.clock.now(), deploy: lab.clock.now(), probe: lab.clock.now() },
        clusters: {},
      };
      await lab.ask();
      lab.clock.pass(dayMs);
      await lab.ask();
    }
    const begun = lab.events.filter(({ health }) => health === 'Degraded');
    expect(begun.map(({ since }) => since)).toEqual(Array.from({ length: 5 }, () => at(-2 * dayMs)));
    const [first, again, ...others] = lab.ids.events;
    expect(again, 'as nobody could note it').toBe(first);
    expect(new Set([first, ...others]).size).toBe(1 + others.length);
    expect(lab.ids.notices).toHaveLength(5);
    expect(new Set(lab.ids.notices).size).toBe(4);
  });

  it('of a cluster, an agent or a function is told there and remembered without tags of its own', async () => {
    lab.keep('shop');
    lab.agents = [{ cluster: 'edge', lastSeen: at(-2 * hourMs) }];
    lab.installation = {
      firstRun: at(-9 * dayMs),
      isUpgraded: true,
      lastPass: now,
      failingChannels: [{ channel: 'slack', since: at(-2 * hourMs), words: 'HTTP 404' }],
    };
    lab.operations = {
      passes: { issue: at(-dayMs - 1), deploy: now, probe: now },
      clusters: { lab: { since: at(-2 * hourMs), code: 'Unreachable', words: 'connect ECONNREFUSED' } },
    };
    const { report } = await lab.ask();
    expect(report).toMatchObject({ ok: false, health: 'Degraded', summary: { Degraded: 0, Healthy: 1 } });
    expect(told().events.toSorted()).toEqual([
      'edge Healthy > Degraded AgentSilent',
      'issue Healthy > Degraded NotRunning',
      'lab Healthy > Degraded ClusterFailing',
      'slack Healthy > Degraded ChannelFailing',
    ]);
    expect(Object.keys(lab.notes?.subjects ?? {}).toSorted()).toEqual([
      'agent/edge',
      'channel/slack',
      'cluster/lab',
      'function/issue',
    ]);
    await lab.ask();
    expect(lab.events).toHaveLength(4);
    // The channel is mended, and the cluster is taken out of the inventory.
    lab.agents = [{ cluster: 'edge', lastSeen: now }];
    lab.installation = { firstRun: at(-9 * dayMs), isUpgraded: true, lastPass: now };
    lab.operations = { passes: { issue: now, deploy: now, probe: now }, clusters: {} };
    lab.sections = { clusters: { edge: { agent: true } } };
    await lab.ask();
    expect(told().events.slice(4).toSorted()).toEqual([
      'edge Degraded > Healthy Current',
      'issue Degraded > Healthy Current',
      'lab Degraded > Healthy Current',
      'slack Degraded > Healthy Current',
    ]);
    lab.clock.pass(hourMs);
    await lab.ask();
    expect(Object.keys(lab.notes?.subjects ?? {}), 'for an hour').toHaveLength(4);
    lab.clock.pass(1);
    lab.agents = [{ cluster: 'edge', lastSeen: lab.clock.now() }];
    await lab.ask();
    expect(lab.notes?.subjects).toEqual({});
  });
});

describe('nothing is lost', () => {
  it('while one way fails, the other is told once; what failed is told when it works again', async () => {
    lab.keep('shop', { notAfter: now });
    lab.broken.add('events');
    await lab.ask();
    await lab.ask();
    expect(told()).toEqual({ events: [], notices: ['shop Healthy > Degraded Expired'] });
    lab.broken.delete('events');
    await lab.ask();
    await lab.ask();
    expect(told()).toEqual({
      events: ['shop Healthy > Degraded Expired'],
      notices: ['shop Healthy > Degraded Expired'],
    });
    lab.broken.add('notices');
    lab.change('shop', { notAfter: at(45 * dayMs) });
    await lab.ask();
    expect(lab.log.events()).toContain('changes not queued');
    lab.broken.delete('notices');
    await lab.ask();
    await lab.ask();
    expect(told().notices).toEqual(['shop Healthy > Degraded Expired', 'shop Degraded > Healthy Current']);
    expect(lab.state('shop').health).toBeUndefined();
  });

  it.each([
    'events',
    'notices',
    'notes',
  ] as const)('without an error of the call: no level tells that %s fail', async (what) => {
    lab.keep('shop', { notAfter: now });
    lab.agents = [{ cluster: 'edge', lastSeen: at(-2 * hourMs) }];
    lab.broken.add(what);
    const words = async () => (await lab.ask()).problems.map(({ message }) => message);
    expect(await words()).toEqual([`${what} broke`]);
    const over = AbortSignal.abort(new Error('time is up'));
    expect((await lab.ask({ signal: over })).problems, 'time that ran out is none').toEqual([]);
    lab.broken.delete(what);
    expect(await words()).toEqual([]);
  });

  it('an end that the queue did not take is told as one, by the next pass or with the next change', async () => {
    const due = { notBefore: at(-62 * dayMs), notAfter: at(28 * dayMs) };
    const well = { notBefore: now, notAfter: at(90 * dayMs) };
    for (const [name, next] of [
      ['shop', due],
      ['api', well],
    ] as const) {
      lab = new StatusLab();
      lab.keep(name, { notBefore: at(-80 * dayMs), notAfter: at(10 * dayMs) });
      await lab.ask();
      lab.broken.add('notices');
      lab.change(name, due);
      await lab.ask();
      lab.broken.delete('notices');
      lab.change(name, next);
      for (let pass = 0; pass < 3; pass += 1) await lab.ask();
      expect(told().notices).toEqual([
        `${name} Healthy > Degraded ExpiresSoon`,
        next === due ? 'shop Degraded > Progressing RenewalDue' : 'api Degraded > Healthy Current',
      ]);
    }
  });

  it('an end that was told late is told once', async () => {
    const failing = (since: Date) => {
      const lab1 = { since, code: 'Unreachable', words: 'connect ECONNREFUSED' };
      lab.operations = { ...lab.operations, clusters: { lab: lab1 } };
    };
    failing(at(-2 * hourMs));
    await lab.ask();
    lab.broken.add('notices');
    failing(now);
    await lab.ask();
    lab.broken.delete('notices');
    await lab.ask();
    lab.operations = { ...lab.operations, clusters: {} };
    await lab.ask();
    expect(told().notices).toEqual([
      'lab Healthy > Degraded ClusterFailing',
      'lab Degraded > Progressing ClusterFailing',
      'lab Progressing > Healthy Current',
    ]);
  });

  it('of the others, while one cannot be looked at', async () => {
    lab.keep('shop', { notAfter: now });
    lab.keep('api', { notAfter: now });
    lab.agents = [{ cluster: 'edge', lastSeen: at(-2 * hourMs) }];
    const { store } = lab.ports();
    const failing = (code: 'Denied' | 'Failed') => ({
      store: {
        ...store,
        describe: async (name: string, signal: AbortSignal) => {
          if (name === 'api') throw new StoreError(code, 'DescribeSecret failed');
          return store.describe(name, signal);
        },
      },
    });
    await lab.ask({}, failing('Failed'));
    const others = ['edge Healthy > Degraded AgentSilent', 'shop Healthy > Degraded Expired'];
    expect(told()).toEqual({ events: others, notices: others });
    await lab.ask({}, failing('Denied'));
    await lab.ask();
    const all = [...others, 'api Healthy > Degraded Expired'];
    expect(told(), 'what is denied does not end, so the list counts').toEqual({ events: all, notices: all });
  });

  it.each([
    'describe',
    'events',
    'notices',
    'record',
    'notes',
  ])('when a run is killed at %s: the next one tells', async (where) => {
    lab.keep('shop', { notAfter: now });
    lab.agents = [{ cluster: 'edge', lastSeen: at(-2 * hourMs) }];
    const killed = () => new Promise<never>(() => undefined);
    const ports = lab.ports();
    const dead = {
      ...(where === 'events' && { putEvents: killed }),
      ...(where === 'notices' && { notices: { send: killed, countWaiting: async () => 0 } }),
      ...(where === 'notes' && { notes: { ...ports.notes, write: killed } }),
      store: {
        ...ports.store,
        ...(where === 'describe' && { describe: killed }),
        ...(where === 'record' && { record: killed }),
      },
    };
    const run = lab.ask({}, dead);
    await Promise.race([run, new Promise((resolve) => setTimeout(resolve, 20))]);
    await lab.ask();
    const both = ['edge Healthy > Degraded AgentSilent', 'shop Healthy > Degraded Expired'];
    expect(told().events).toEqual(expect.arrayContaining(both));
    expect(told().notices).toEqual(expect.arrayContaining(both));
    const count = lab.events.length + lab.notices.length;
    await lab.ask();
    expect(lab.events.length + lab.notices.length, 'and nothing is told for ever').toBe(count);
  });

  it('and nothing is told for ever, where a certificate has no room for a tag', async () => {
    lab.keep('shop', { notAfter: now });
    lab.broken.add('record');
    await lab.ask();
    await lab.ask();
    expect(told().events).toEqual(['shop Healthy > Degraded Expired']);
    expect(lab.notes?.subjects).toMatchObject({ 'certificate/shop': { reason: 'Expired' } });
    lab.broken.delete('record');
    lab.change('shop', { notAfter: at(45 * dayMs) });
    await lab.ask();
    await lab.ask();
    expect(told().events.slice(1)).toEqual(['shop Degraded > Healthy Current']);
    expect(lab.notes?.subjects).toEqual({});
  });

  it.each([
    ['ten thousand certificates wait for their AWS secret', [], () => lab.specs.push(...specs(10_000))],
    ['a thousand tags are refused', ['health not reported'], () => lab.broken.add('record')],
    [
      'five hundred agents are silent',
      ['health not reported'],
      () => {
        const names = ['edge', ...specs(500).map(({ name }) => name)];
        lab.sections = { clusters: Object.fromEntries(names.map((name) => [name, { agent: true }])) };
        lab.agents = names.map((cluster) => ({ cluster, lastSeen: at(-2 * hourMs) }));
      },
    ],
  ])('and nothing is told for ever, where the notes have no room: %s', async (_, logged, begin) => {
    for (let index = 0; index < 1_200; index += 1) lab.keep(`stored-${index}`, { notAfter: now });
    lab.agents = [{ cluster: 'edge', lastSeen: at(-2 * hourMs) }];
    begin();
    for (let pass = 0; pass < 3; pass += 1) await lab.ask();
    const all = told().events;
    expect(all).toContain('edge Healthy > Degraded AgentSilent');
    expect(all.length - new Set(all).size, 'told twice').toBe(0);
    expect(lab.notes?.subjects).toHaveProperty('agent/edge');
    expect(
      lab.log
        .events()
        .filter((event) => event === 'health not reported')
        .slice(0, 1),
    ).toEqual(logged);
  });

  it('and nothing is told for ever, where all that the notes have room for ends at once', async () => {
    const names = specs(500).map(({ name }) => name);
    lab.sections = { clusters: Object.fromEntries(names.map((name) => [name, { agent: true }])) };
    const seen = (lastSeen: Date) => (lab.agents = names.map((cluster) => ({ cluster, lastSeen })));
    seen(at(-2 * hourMs));
    await lab.ask();
    const known = Object.keys(lab.notes?.subjects ?? {}).length;
    expect(known).toBeGreaterThan(250);
    lab.agents = lab.agents.map((agent) => ({ ...agent, lastSeen: now, problem: 'no answer' }));
    await lab.ask();
    seen(now);
    for (let pass = 0; pass < 3; pass += 1) expect((await lab.ask()).problems).toEqual([]);
    expect(lab.events.filter(({ health }) => health === 'Healthy').length).toBeGreaterThanOrEqual(known);
    expect(new Set(lab.ids.events).size, 'told twice').toBe(lab.ids.events.length);
  });

  it('a list that lags tells nothing that is over, and nothing twice', async () => {
    lab.keep('shop', { notAfter: now });
    const { list } = lab.ports().store;
    const stale = await list(new AbortController().signal);
    lab.change('shop', { notAfter: at(45 * dayMs) });
    const lagging = { store: { ...lab.ports().store, list: async () => stale } };
    await lab.ask({}, lagging);
    expect(lab.events).toEqual([]);
    lab.change('shop', { notAfter: now });
    await lab.ask();
    await lab.ask({}, lagging);
    expect(lab.events).toHaveLength(1);
  });

  it.each([
    '@stale@-200000-01-01T00:00:00Z@',
    '@stale@+200000-01-01T00:00:00Z@',
    '@mismatch@0000-00-00@+275760-09-13T00:00:00.000Z@!-000001-01-01T00:00:00Z!v1 * \u0000\r\n',
    `v1/00000000/a/9/-100000-01-01T00:00:00Z/v0.zzzzzzzz:0@stale@2026@1@v1 ${'\u202e'.repeat(80)} x`,
  ])('whatever an agent reports: it is told once, and nobody else goes untold (%#)', async (text) => {
    const tags = new Map([['certrelay:agent-report/edge', encodeText(text)]]);
    lab.keep('shop', decodeState(tags), { targets: [targetOf({ cluster: 'edge' })] });
    lab.keep('other', { notAfter: at(-hourMs) });
    await lab.ask();
    const { length } = lab.events;
    await lab.ask();
    expect(lab.events).toHaveLength(length);
    expect(told().notices).toContain('other Healthy > Degraded Expired');
    expect(JSON.stringify((await lab.ask()).report)).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    const omitted = { changes: 0, issued: 0, rows: 0 };
    const Records = lab.notices.map((message, index) => ({
      messageId: String(index),
      eventSource: 'aws:sqs',
      body: JSON.stringify({ schema: 1, installation: 'certrelay', issued: [], omitted, ...message }),
    }));
    const read = parseNotifyEvent({ Records });
    expect(read).toMatchObject({ messages: Records.map(() => ({ request: { kind: 'news' } })) });
  });

  it('since when a certificate without an AWS secret waits is remembered, and over once nobody names it', async () => {
    const spec = (name: string) => ({
      name,
      domains: [`${name}.example.com`],
      issuer: 'default',
      key: 'ecdsa-p256' as const,
      targets: [],
    });
    lab.specs = [spec('shop')];
    await lab.ask();
    lab.clock.pass(hourMs);
    const { report } = await lab.ask({ certificates: ['shop'] });
    expect(report.certificates).toMatchObject([
      { reason: 'Ordering', message: 'not issued yet', since: now },
    ]);
    lab.specs = Array.from({ length: 300 }, (_, index) => spec(`c${index}`));
    await lab.ask();
    expect(told().events).toContain('shop Progressing > Healthy Current');
    expect(Object.keys(lab.notes?.subjects ?? {}), 'shop had its place until now').toHaveLength(199);
  });

  it.each<[string, CertificateState]>([
    ['Abandoned', { deployed: { version: 'v1', targets: 'x', phases: ['rolled-out'] } }],
    ['NotAllowed', { source: 'registration' }],
    ['RetirementStuck', { retire: { kind: 'retire', at: at(-20 * dayMs), revoke: false } }],
  ])('the end of a certificate that was %s is told, though its tags are gone', async (reason, state) => {
    lab.stored('shop', state);
    await lab.ask();
    await lab.ask();
    lab.store.kept.delete('shop');
    await lab.ask();
    await lab.ask();
    const all = [`shop Healthy > Degraded ${reason}`, 'shop Degraded > Healthy Current'];
    expect(told()).toEqual({ events: all, notices: all });
    expect(lab.notes?.subjects).toEqual({});
  });

  it('of one that is put back nothing is told twice, whatever was noted before', async () => {
    lab.stored('shop', { source: 'registration', tagsDisagree: now });
    lab.sections = { registration: { zones: ['example.com'], issuer: 'x', key: 'ecdsa-p256', targets: [] } };
    await lab.ask();
    lab.sections = {};
    await lab.ask();
    expect(lab.state('shop').health).toBeUndefined();
    lab.keep('shop');
    for (let pass = 0; pass < 3; pass += 1) await lab.ask();
    expect(told().notices).toEqual([
      'shop Healthy > Degraded TagsDisagree',
      'shop Degraded > Degraded NotAllowed',
      'shop Degraded > Healthy Current',
    ]);
  });

  it('of a thousand such certificates nothing is left out, and nothing is told twice', async () => {
    for (let index = 0; index < 1_000; index += 1) lab.stored(`old-${index}`, { source: 'registration' });
    await lab.ask();
    await lab.ask();
    expect(lab.events).toHaveLength(1_000);
    expect(lab.log.events()).not.toContain('health not reported');
  });

  it('a certificate that was taken away meanwhile is none', async () => {
    lab.stored('shop', { deployed: { version: 'v1', targets: 'x', phases: ['rolled-out'] } });
    const stale = await lab.ports().store.list(new AbortController().signal);
    lab.store.kept.delete('shop');
    await lab.ask({}, { store: { ...lab.ports().store, list: async () => stale } });
    expect(lab.events).toEqual([]);
  });
});

it('what a person acknowledges while a pass runs stays acknowledged', async () => {
  const trouble = { since: at(-2 * hourMs), code: 'Unreachable', words: 'no answer' };
  lab.operations = { ...lab.operations, clusters: { lab: trouble } };
  await lab.ask();
  lab.agents = [{ cluster: 'edge', lastSeen: at(-2 * hourMs) }];
  const send = async () => {
    const acknowledge = { subjects: ['cluster/lab'], forMs: dayMs, words: 'the network is moved' };
    await lab.ask({ acknowledge });
  };
  await lab.ask({}, { notices: { send, countWaiting: async () => 0 } });
  expect(lab.notes?.subjects['cluster/lab']?.acknowledged).toMatchObject({ words: 'the network is moved' });
  expect(lab.notes?.subjects['agent/edge']).toMatchObject({ reason: 'AgentSilent' });
});

it('what comes and goes with every pass writes no more notes in a day than AWS has room for, and hides nothing else', async () => {
  const { clock } = lab;
  const pass = async (isSilent: boolean, rest: OperationRecord['clusters'] = {}) => {
    clock.pass(5 * minuteMs);
    const end = clock.now();
    lab.agents = [{ cluster: 'edge', lastSeen: isSilent ? now : end }];
    lab.operations = { passes: { issue: end, deploy: end, probe: end }, clusters: rest };
    lab.installation = { firstRun: at(-dayMs), isUpgraded: true, lastPass: end };
    await lab.ask();
  };
  clock.pass(2 * hourMs);
  const days: number[] = [];
  for (let day = 0; day < 2; day += 1) {
    const before = lab.noteWrites;
    for (let count = 0; count < 288; count += 1) await pass(count % 2 === 0);
    days.push(lab.noteWrites - before);
  }
  for (const writes of days) {
    expect(writes).toBeLessThan(95);
    expect(writes).toBeGreaterThan(70);
  }
  // What is noted is told, and nothing twice.
  expect(lab.events).toHaveLength(lab.noteWrites);
  const trouble = { since: at(0), code: 'Unreachable', words: 'no answer' };
  for (let count = 0; count < 7; count += 1) await pass(count % 2 === 0, { lab: trouble });
  expect(told().events).toContain('lab Healthy > Degraded ClusterFailing');
});

it('a digest goes once at its time, with everything in it, the worst first', async () => {
  const digest = { day: 'Mon', hour: 8, minute: 0, zone: 'Europe/Berlin' } as const;
  lab.channels = [{ kind: 'slack', events: [], digest }];
  lab.keep('well');
  lab.keep('over', { notAfter: now });
  await lab.ask();
  // From Sunday at 11 in Berlin to Monday, two minutes before 8.
  lab.clock.pass(21 * hourMs - 2 * 60_000);
  await lab.ask();
  expect(lab.notices.filter((message) => message.digest)).toEqual([]);
  lab.clock.pass(2 * 60_000);
  lab.broken.add('notices');
  expect((await lab.ask()).problems).toHaveLength(1);
  lab.broken.delete('notices');
  await lab.ask();
  await lab.ask();
  const digests = lab.notices.flatMap((message) => message.digest ?? []);
  expect(digests).toMatchObject([{ channels: ['slack'], summary: { Degraded: 1, Healthy: 1 } }]);
  const rows = digests[0]?.rows ?? [];
  expect(rows[0]).toMatchObject({ subject: { name: 'over' }, health: 'Degraded', reason: 'Expired' });
  expect(rows.find(({ subject }) => subject.name === 'well')).toMatchObject({
    health: 'Healthy',
    reason: null,
  });
});

describe('a call', () => {
  it('W14 over 10,000 fine certificates costs list pages alone, and writes nothing', async () => {
    for (let index = 0; index < 10_000; index += 1) lab.keep(`c${index}`);
    await lab.ask();
    lab.noteWrites = 0;
    lab.store.calls.length = 0;
    const { report } = await lab.ask();
    expect(lab.store.calls).toEqual(['list *']);
    expect(lab.noteWrites).toBe(0);
    expect(report).toMatchObject({ summary: { Degraded: 0, Healthy: 10_000 }, omitted: 8_000 });
    expect(JSON.stringify(report).length).toBeLessThan(5_000_000);
  });

  it('lists the worst first, then the soonest end', async () => {
    lab.keep('late', { notAfter: at(44 * dayMs) });
    lab.keep('well');
    lab.keep('paused', { pausedSince: now });
    lab.keep('over', { notAfter: now });
    const { report } = await lab.ask();
    expect(report.certificates.map(({ name }) => name)).toEqual(['over', 'paused', 'late', 'well']);
    expect(report.soonestExpiry).toEqual({ certificate: 'over', place: 'stored', notAfter: now, days: 0 });
  });

  it('for named certificates looks at each, because listing lags, and tells nobody', async () => {
    lab.keep('shop', { notAfter: now });
    lab.keep('api');
    const { report } = await lab.ask({ certificates: ['shop'] });
    expect(report.certificates).toMatchObject([{ name: 'shop', health: 'Degraded' }]);
    expect(lab.store.calls).toEqual(['describe shop']);
    expect([lab.events, lab.notices, lab.noteWrites]).toEqual([[], [], 0]);
  });

  it('for a name that nobody knows is an error, and is no healthy certificate', async () => {
    const { report, problems } = await lab.ask({ certificates: ['shpo'] });
    expect(report.certificates).toEqual([]);
    expect(problems.map(({ message }) => message)).toEqual([expect.stringContaining('"shpo"')]);
  });
});

it('every reason that can be told is in the closed list once', () => {
  expect(new Set(healthReasons).size).toBe(healthReasons.length);
});
