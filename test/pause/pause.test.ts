// Pausing and resuming: what the plan says meanwhile, and that nothing else changes.
import { expect, it } from 'vitest';
import { pauseCertificates } from '../../lib/pause/pause.ts';
import type { PauseRequest } from '../../lib/requests/requests.ts';
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
