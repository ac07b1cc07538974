// Commands that change something: what they call, what they print, and how they ask before harm is done.
import { describe, expect, it } from 'vitest';
import { answering, certrelay, certrelayWith } from './harness.ts';

describe('a command that does harm', () => {
  const retiring = { certificates: [{ name: 'shop', outcome: 'retiring', message: 'a person let it go' }] };

  it('asks a person to type the name, and does nothing for another one', async () => {
    const { env, events } = await answering(retiring);
    const wrong = await certrelay('retire shop', { env, answer: 'yes' });
    expect(wrong).toMatchObject({ code: 130, out: '' });
    expect(wrong.err).toContain('type the name shop');
    expect(events.splice(0)).toMatchObject([{ name: 'retire', event: { dryRun: true } }]);
    const right = await certrelay('retire shop', { env, answer: 'shop' });
    expect(right).toMatchObject({ code: 0, out: 'certificate/shop retiring: a person let it go\n' });
    expect(events.slice(1)).toMatchObject([
      { name: 'retire', event: { certificates: ['shop'], report: true } },
    ]);
    expect(events[1]).not.toHaveProperty('event.dryRun');
  });

  it.each([
    ['retire shpo', 'retire', { certificates: ['shpo'], dryRun: true }],
    ['retire shpo --revoke', 'retire', { certificates: ['shpo'], revoke: true, dryRun: true }],
    ['revoke shpo --replace', 'status', { certificates: ['shpo'] }],
    ['rotate-account-key shpo', 'issue', { rotateAccountKey: 'shpo', dryRun: true }],
  ])('says what cannot be done before it asks anybody: %s', async (line, name, event) => {
    const failures = [{ what: 'shpo', code: 'Unknown', message: 'did you mean "shop"?' }];
    const { env, events } = await answering({ ok: false, failures });
    for (const answer of [undefined, 'shpo']) {
      const { code, out, err } = await certrelay(line, { env, ...(answer ? { answer } : {}) });
      expect({ code, out, err }).toEqual({ code: 2, out: '', err: 'shpo: Unknown: did you mean "shop"?\n' });
    }
    expect(events).toMatchObject([
      { name, event },
      { name, event },
    ]);
  });

  it('is refused without a terminal, unless --yes says that it is meant', async () => {
    const { env, events } = await answering(retiring);
    const refused = await certrelay('retire shop', { env });
    expect(refused).toMatchObject({ code: 2, out: '' });
    expect(refused.err).toContain('must be confirmed (restore brings it back for 30 days): give --yes');
    const revoking = await certrelay('retire shop --revoke', { env });
    expect(revoking.err).toContain('cannot be taken back: give --yes');
    expect(events.splice(0)).toMatchObject([{ event: { dryRun: true } }, { event: { dryRun: true } }]);
    expect(await certrelay('retire shop --revoke --yes', { env })).toMatchObject({ code: 0 });
    expect(await certrelay('retire shop --no-revoke --yes', { env })).toMatchObject({ code: 0 });
    expect(await certrelay('retire shop --yes', { env })).toMatchObject({ code: 0 });
    expect(events).toMatchObject([
      { event: { certificates: ['shop'], revoke: true } },
      { event: { certificates: ['shop'], revoke: false } },
      { event: { certificates: ['shop'] } },
    ]);
    expect(events[2]).not.toHaveProperty('event.revoke');
  });

  it('asks for the issuer before it exchanges an account key, and shows what became of it harmlessly', async () => {
    const { env, events } = await answering({
      issuer: 'le',
      outcome: 'exchanged',
      message: 'a\u001b[2J new key',
    });
    expect(await certrelay('rotate-account-key le', { env })).toMatchObject({ code: 2, out: '' });
    expect(await certrelay('rotate-account-key le', { env, answer: 'y' })).toMatchObject({ code: 130 });
    const right = await certrelay('rotate-account-key le', { env, answer: 'le' });
    expect(right.code).toBe(0);
    expect(right.out).toMatch(/^issuer\/le exchanged: a.* new key\n$/);
    expect(right.out).not.toContain('\u001b');
    const look = { event: { dryRun: true } };
    expect(events.splice(0, 3)).toMatchObject([look, look, look]);
    expect(events).toMatchObject([{ name: 'issue', event: { rotateAccountKey: 'le', report: true } }]);
    expect(events[0]).not.toHaveProperty('event.dryRun');
  });
});

describe('a dry run', () => {
  it.each([
    ['renew shop --dry-run', 'issue', { certificates: ['shop'], dryRun: true }],
    ['deploy --cluster lab --dry-run', 'deploy', { clusters: ['lab'], dryRun: true }],
    ['rollback shop --dry-run', 'deploy', { certificates: ['shop'], rollback: true, dryRun: true }],
    ['retire shop --dry-run', 'retire', { certificates: ['shop'], dryRun: true }],
    ['restore shop --dry-run', 'retire', { restore: ['shop'], dryRun: true }],
  ])('%s is one of the function %s', async (line, name, event) => {
    const { env, events } = await answering({});
    expect((await certrelay(line, { env })).code).toBe(0);
    expect(events).toMatchObject([{ name, event }]);
  });

  it.each([
    'pause shop --dry-run',
    'unpause shop --dry-run',
    'ack shop --for 1h --reason x --dry-run',
  ])('%s calls status alone, and says what would be done', async (line) => {
    const { env, events } = await answering({ certificates: [{ name: 'shop' }] });
    const { code, out } = await certrelay(line, { env });
    expect({ code, out }).toEqual({ code: 0, out: expect.stringMatching(/^certificate\/shop would be /) });
    expect(events).toMatchObject([{ name: 'status', event: { report: true } }]);
    expect(JSON.stringify(events)).not.toContain('acknowledge');
  });
});

describe('a pause with an end', () => {
  const until = '2026-12-24T00:00:00.000Z';

  it('gives the end to the function as it was typed, and shows the instant that it answers', async () => {
    const { env, events } = await answering({ certificates: [{ name: 'shop', outcome: 'paused', until }] });
    const ended = await certrelay('pause shop --until 7d', { env });
    expect(ended).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^certificate\/shop paused until 20/),
    });
    expect(events).toMatchObject([{ name: 'pause', event: { certificates: ['shop'], until: '7d' } }]);
  });

  it('is rehearsed with the instant, and refused where the function would refuse it', async () => {
    const { env, events } = await answering({ certificates: [{ name: 'shop' }] });
    const rehearsed = await certrelay('pause shop --until 7d --dry-run', { env });
    expect(rehearsed.out).toMatch(/^certificate\/shop would be paused until \d{4}-\d\d-\d\d \d\d:\d\d/);
    const before = events.length;
    for (const [end, words] of [
      ['soon', 'such as 7d, or a date'],
      ['2020-01-01', 'not in the future'],
      ['9000d', '90 days at most'],
    ] as const) {
      const refused = await certrelay(`pause shop --until ${end} --dry-run`, { env });
      expect(refused).toMatchObject({ code: 2, err: expect.stringContaining(words) });
    }
    expect(events).toHaveLength(before);
  });
});

it('ack names what was acknowledged, and not what failed', async () => {
  const { env, events } = await answering({
    ok: false,
    certificates: [],
    failures: [{ what: 'blog', code: 'Unexpected', message: 'it is Healthy' }],
  });
  const args = ['ack', 'shop', 'blog', 'cluster/prod', '--for', '7d', '--reason', 'the quota is asked for'];
  const { code, out, err } = await certrelayWith(args, { env });
  expect({ code, out }).toEqual({
    code: 1,
    out: 'certificate/shop acknowledged for 7d\ncluster/prod acknowledged for 7d\n',
  });
  expect(err).toContain('blog: Unexpected: it is Healthy');
  const acknowledge = ['shop', 'blog', 'cluster/prod'];
  expect(events).toMatchObject([{ event: { acknowledge, for: '7d', reason: 'the quota is asked for' } }]);
  expect((await certrelay('ack shop --for 7d', { env })).code).toBe(2);
});

it.each([
  { served: 'stale', message: 'an old one' },
  { served: 'unprobed', message: 'nobody could look', since: '2026-11-29T10:00:00.000Z' },
])('probe ends with 1 where another certificate is served, or was before nobody could look: $served', async (row) => {
  const { env } = await answering({ certificates: [{ name: 'shop', ...row }] });
  expect(await certrelay('probe', { env })).toMatchObject({
    code: 1,
    out: expect.stringContaining(row.served),
  });
});
