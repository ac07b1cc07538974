// Pausing and resuming: what the plan says meanwhile, and that nothing else changes.
import { describe, expect, it } from 'vitest';
import { pauseCertificates } from '../../lib/pause/pause.ts';
import { type PauseRequest, parsePauseEvent } from '../../lib/requests/requests.ts';
import { dayMs, Harness, specOf } from '../issue/harness.ts';

const shop = specOf('shop', ['shop.example.com']);
const blog = specOf('blog', ['blog.example.com']);
const signal = new AbortController().signal;

function ask(harness: Harness, request: PauseRequest) {
  return pauseCertificates(request, harness, { inventory: harness.inventory, signal });
}

it('M06 a paused certificate is not ordered, the plan says since when and by which words, and a resumed one is', async () => {
  const harness = new Harness([shop, blog]);
  await harness.run();
  const since = harness.clock.now();
  const answer = await ask(harness, { certificates: ['shop'], reason: 'the zone moves' });
  expect(answer.certificates).toEqual([{ name: 'shop', outcome: 'paused', since, reason: 'the zone moves' }]);

  harness.clock.pass(61 * dayMs);
  const paused = await harness.run();
  expect(paused.report.summary).toEqual({ certificates: 2, wait: 1, issued: 1 });
  const [line] = paused.report.certificates.filter(({ name }) => name === 'shop');
  expect(line).toMatchObject({ reason: 'Paused', message: expect.stringContaining(since.toISOString()) });
  expect(line?.message).toContain('"the zone moves"');

  expect(await ask(harness, { certificates: ['shop'], resume: true })).toMatchObject({
    certificates: [{ name: 'shop', outcome: 'resumed' }],
  });
  const { report } = await harness.run();
  expect(report.summary).toMatchObject({ issued: 1, keep: 1 });
});

it('force does not order what is paused', async () => {
  const harness = new Harness([shop]);
  await harness.run();
  await ask(harness, { certificates: ['shop'] });
  const { report } = await harness.run({ certificates: ['shop'], force: true });
  expect(report.certificates).toMatchObject([{ decision: 'wait', reason: 'Paused' }]);
  expect(harness.ca.count('newOrder')).toBe(1);
});

it('a certificate can be paused before its first order, and is ordered once it is resumed', async () => {
  const harness = new Harness([shop]);
  await ask(harness, { certificates: ['shop'] });
  expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'Paused' }]);
  await ask(harness, { certificates: ['shop'], resume: true });
  expect((await harness.run()).report.certificates).toMatchObject([{ reason: 'Missing', outcome: 'issued' }]);
});

it('paused again keeps the first time, and the words unless there are new ones', async () => {
  const harness = new Harness([shop]);
  await ask(harness, { certificates: ['shop'], reason: 'one' });
  const since = harness.clock.now();
  harness.clock.pass(1000);
  const outcome = async (request: Partial<PauseRequest>) =>
    (await ask(harness, { certificates: ['shop'], ...request })).certificates[0];
  expect(await outcome({})).toEqual({ name: 'shop', outcome: 'unchanged', since, reason: 'one' });
  expect(await outcome({ reason: 'one' })).toMatchObject({ outcome: 'unchanged' });
  expect(await outcome({ reason: 'two' })).toEqual({ name: 'shop', outcome: 'paused', since, reason: 'two' });
  await outcome({ resume: true });
  expect(await outcome({ resume: true })).toEqual({ name: 'shop', outcome: 'unchanged' });
  expect(harness.state('shop')).toEqual({});
});

it('a name that nobody knows is told, makes nothing, and does not keep the others from it', async () => {
  const harness = new Harness([shop]);
  const { certificates, failures } = await ask(harness, { certificates: ['shoop', 'shop', 'shop'] });
  expect(certificates).toMatchObject([{ name: 'shop', outcome: 'paused' }]);
  expect(failures).toMatchObject([
    {
      part: 'shoop',
      code: 'Unknown',
      message: expect.stringMatching(/^shoop: no certificate is called "shoop".*did you mean "shop"\?$/),
    },
  ]);
  expect([...harness.store.kept.keys()]).toEqual(['shop']);
});

describe('a pause with an end', () => {
  const parse = (until: string) => parsePauseEvent({ certificates: ['shop'], until });

  it('M06 ends by itself: the plan says until when, then it is ordered, and a new pause begins anew', async () => {
    const harness = new Harness([shop]);
    await harness.run();
    harness.clock.pass(59 * dayMs);
    const until = new Date(harness.clock.now().getTime() + 7 * dayMs);
    const { certificates } = await ask(harness, { ...parse('7d'), reason: 'the zone moves' });
    expect(certificates).toMatchObject([{ outcome: 'paused', reason: 'the zone moves', until }]);
    const repeated = await ask(harness, { certificates: ['shop'] });
    expect(repeated.certificates).toMatchObject([{ outcome: 'unchanged', until }]);
    harness.clock.pass(7 * dayMs - 1);
    const [line] = (await harness.run()).report.certificates;
    expect(line).toMatchObject({ reason: 'Paused', until });
    expect(line?.message).toContain(`("the zone moves"), until ${until.toISOString()}`);
    harness.clock.pass(1);
    expect((await harness.run()).report.certificates).toMatchObject([{ outcome: 'issued' }]);
    const again = await ask(harness, { certificates: ['shop'] });
    expect(again.certificates).toEqual([{ name: 'shop', outcome: 'paused', since: harness.clock.now() }]);
  });

  it('takes a date as its first moment in UTC, and an instant', async () => {
    const harness = new Harness([shop]);
    await harness.run();
    const day = new Date(harness.clock.now().getTime() + 30 * dayMs).toISOString().slice(0, 10);
    for (const [given, meant] of [
      [day, `${day}T00:00:00.000Z`],
      [`${day}T18:30:00Z`, `${day}T18:30:00.000Z`],
    ] as const)
      expect((await ask(harness, parse(given))).certificates[0]?.until).toEqual(new Date(meant));
  });

  it.each([
    '7',
    '7x',
    '91d',
    '0007d7',
    '2026-02-30',
    'tomorrow',
    '',
    '2026-12-24T10:00:00+01:00',
    '\u001b[2J',
  ])('is refused as an event: %j', (until) => {
    expect(() => parse(until)).toThrow(/^invalid event: until: must be /);
  });

  it('is refused in the past and more than a year ahead, and together with resume', async () => {
    const harness = new Harness([shop]);
    await harness.run();
    await expect(ask(harness, parse('2020-01-01'))).rejects.toThrow('not in the future');
    await expect(ask(harness, parse('0d'))).rejects.toThrow('not in the future');
    await expect(ask(harness, parse('2206-12-24'))).rejects.toThrow('more than a year ahead');
    expect(() => parsePauseEvent({ certificates: ['shop'], until: '7d', resume: true })).toThrow('"until"');
    expect(harness.state('shop').pausedSince).toBeUndefined();
  });
});
