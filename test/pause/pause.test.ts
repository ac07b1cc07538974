// Pausing and resuming: what the plan says meanwhile, and that nothing else changes.
import { expect, it } from 'vitest';
import { pauseCertificates } from '../../lib/pause/pause.ts';
import type { PauseRequest } from '../../lib/requests/requests.ts';
import { Bench, dayMs, specOf } from '../issue/harness.ts';

const shop = specOf('shop', ['shop.example.com']);
const blog = specOf('blog', ['blog.example.com']);
const signal = new AbortController().signal;

function ask(bench: Bench, request: PauseRequest) {
  return pauseCertificates(request, bench, { inventory: bench.inventory, signal });
}

it('M06 a paused certificate is not ordered, the plan says since when and by which words, and a resumed one is', async () => {
  const bench = new Bench([shop, blog]);
  await bench.run();
  const since = bench.clock.now();
  const answer = await ask(bench, { certificates: ['shop'], reason: 'the zone moves' });
  expect(answer.certificates).toEqual([{ name: 'shop', outcome: 'paused', since, reason: 'the zone moves' }]);

  bench.clock.pass(61 * dayMs);
  const paused = await bench.run();
  expect(paused.report.summary).toEqual({ certificates: 2, wait: 1, issued: 1 });
  const [line] = paused.report.certificates.filter(({ name }) => name === 'shop');
  expect(line).toMatchObject({ reason: 'Paused', message: expect.stringContaining(since.toISOString()) });
  expect(line?.message).toContain('"the zone moves"');

  expect(await ask(bench, { certificates: ['shop'], resume: true })).toMatchObject({
    certificates: [{ name: 'shop', outcome: 'resumed' }],
  });
  const { report } = await bench.run();
  expect(report.summary).toMatchObject({ issued: 1, keep: 1 });
});

it('force does not order what is paused', async () => {
  const bench = new Bench([shop]);
  await bench.run();
  await ask(bench, { certificates: ['shop'] });
  const { report } = await bench.run({ certificates: ['shop'], force: true });
  expect(report.certificates).toMatchObject([{ decision: 'wait', reason: 'Paused' }]);
  expect(bench.ca.count('newOrder')).toBe(1);
});

it('a certificate can be paused before its first order, and is ordered once it is resumed', async () => {
  const bench = new Bench([shop]);
  await ask(bench, { certificates: ['shop'] });
  expect((await bench.run()).report.certificates).toMatchObject([{ reason: 'Paused' }]);
  await ask(bench, { certificates: ['shop'], resume: true });
  expect((await bench.run()).report.certificates).toMatchObject([{ reason: 'Missing', outcome: 'issued' }]);
});

it('paused again keeps the first time, and the words unless there are new ones', async () => {
  const bench = new Bench([shop]);
  await ask(bench, { certificates: ['shop'], reason: 'one' });
  const since = bench.clock.now();
  bench.clock.pass(1000);
  const outcome = async (request: Partial<PauseRequest>) =>
    (await ask(bench, { certificates: ['shop'], ...request })).certificates[0];
  expect(await outcome({})).toEqual({ name: 'shop', outcome: 'unchanged', since, reason: 'one' });
  expect(await outcome({ reason: 'one' })).toMatchObject({ outcome: 'unchanged' });
  expect(await outcome({ reason: 'two' })).toEqual({ name: 'shop', outcome: 'paused', since, reason: 'two' });
  await outcome({ resume: true });
  expect(await outcome({ resume: true })).toEqual({ name: 'shop', outcome: 'unchanged' });
  expect(bench.state('shop')).toEqual({});
});

it('a name that nobody knows is told, makes nothing, and does not keep the others from it', async () => {
  const bench = new Bench([shop]);
  const { certificates, failures } = await ask(bench, { certificates: ['shoop', 'shop', 'shop'] });
  expect(certificates).toMatchObject([{ name: 'shop', outcome: 'paused' }]);
  expect(failures).toMatchObject([
    { message: expect.stringContaining('shoop: no certificate is called that') },
  ]);
  expect([...bench.store.kept.keys()]).toEqual(['shop']);
});
