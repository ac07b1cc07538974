// TXT values whose order is over, or whose certificate nobody asks for any more.
import { expect, it } from 'vitest';
import { AcmeError } from '../../lib/ports/acme.ts';
import { DnsError } from '../../lib/ports/dns.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { Bench, dayMs, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
const foreign = '_acme-challenge.shop.example.com somebody-elses-value-of-forty-three-characters';

/** A run that ends as by a crash while the CA is asked to validate. */
async function crash(bench: Bench): Promise<void> {
  const stop = new AbortController();
  const answer = bench.ca.answerChallenge.bind(bench.ca);
  const cleanUp = bench.records.cleanUp.bind(bench.records);
  bench.ca.answerChallenge = async () => {
    stop.abort(new Error('killed'));
    throw stop.signal.reason;
  };
  bench.records.cleanUp = async () => Promise.reject(new Error('killed'));
  await bench.run({}, { signal: stop.signal, cleanUpSignal: stop.signal });
  bench.ca.answerChallenge = answer;
  bench.records.cleanUp = cleanUp;
}

it('K36 a definition that is removed while its order is under way leaves no TXT value and no claim', async () => {
  const bench = new Bench([shop]);
  bench.records.values.add(foreign);
  await crash(bench);
  expect(bench.records.values.size).toBe(3);
  const removed = { inventory: { ...bench.inventory, certificates: [] } };

  await bench.run({}, { ...removed });
  expect(bench.records.values.size, 'the run may be alive').toBe(3);
  bench.clock.pass(16 * 60_000);
  await bench.run({ dryRun: true }, removed);
  expect(bench.records.values.size, 'a dry run changes nothing').toBe(3);
  await bench.run({}, removed);
  expect([...bench.records.values]).toEqual([foreign]);
  expect(bench.pending('shop')).toBeUndefined();
  const writes = bench.store.calls.length;
  await bench.run({}, removed);
  expect(bench.store.calls.slice(writes)).toEqual(['list *']);
});

it('an orphan that cannot be cleaned up is tried again, and ends no pass', async () => {
  const bench = new Bench([shop]);
  await crash(bench);
  bench.clock.pass(16 * 60_000);
  const blog = specOf('blog', ['blog.example.com']);
  const removed = { inventory: { ...bench.inventory, certificates: [blog] } };
  const cleanUp = bench.records.cleanUp.bind(bench.records);
  bench.records.cleanUp = async (values) => {
    if (values.some(({ name }) => name.includes('shop'))) throw new DnsError('Failed', 'throttled');
    return cleanUp(values);
  };
  const { report } = await bench.run({}, removed);
  expect(report.summary).toEqual({ certificates: 1, issued: 1 });
  expect(bench.log.lines.at(-1)?.level).not.toBe('error');
  expect(bench.log.lines).toContainEqual(
    expect.objectContaining({ level: 'warn', event: 'orphan not cleaned up' }),
  );
  bench.records.cleanUp = cleanUp;
  bench.clock.pass(16 * 60_000);
  await bench.run({}, removed);
  expect(bench.records.values.size).toBe(0);
});

it('K39 values of an order that the CA has forgotten are taken away, and another order is made', async () => {
  const bench = new Bench([shop]);
  bench.records.values.add(foreign);
  await crash(bench);
  bench.ca.orders.clear();
  bench.clock.pass(dayMs);
  expect((await bench.run()).report.summary).toEqual({ certificates: 1, issued: 1 });
  expect([...bench.records.values]).toEqual([foreign]);
});

it('names that the specification has given up meanwhile are cleaned up too, over several crashes', async () => {
  const bench = new Bench([shop]);
  await crash(bench);
  for (const name of ['one.example.com', 'two.example.com']) {
    bench.clock.pass(dayMs);
    Object.assign(bench.inventory, { certificates: [specOf('shop', [name])] });
    await crash(bench);
  }
  bench.clock.pass(dayMs);
  const { report } = await bench.run();
  expect(report.summary).toEqual({ certificates: 1, issued: 1 });
  expect(bench.records.values.size).toBe(0);
});

it('a pass writes every value down before it is in DNS', async () => {
  const bench = new Bench([shop]);
  const present = bench.records.present.bind(bench.records);
  const journals: (readonly string[] | undefined)[] = [];
  bench.records.present = async (values) => {
    journals.push(bench.state('shop').txt);
    expect(values.every(({ value }) => bench.state('shop').txt?.includes(value.slice(0, 8)))).toBe(true);
    return present(values);
  };
  await bench.run();
  expect(journals.map((journal) => journal?.length)).toEqual([2]);
  expect(bench.state('shop').txt ?? null).toBeNull();
});

it('a run that takes over takes the values away even where the CA cannot be reached', async () => {
  const bench = new Bench([shop]);
  await crash(bench);
  bench.clock.pass(dayMs);
  bench.ca.failures.next('readOrder', new AcmeError('Unreachable', 'no answer'));
  expect((await bench.run()).report.summary).toMatchObject({ failed: 1 });
  expect(bench.records.values.size).toBe(0);
  expect(bench.pending('shop')).toBeUndefined();
});

it('a run that takes over without learning what was left keeps the claim for the next', async () => {
  const bench = new Bench([shop]);
  await crash(bench);
  bench.clock.pass(dayMs);
  bench.store.failures.next('describe', new StoreError('Failed', 'throttled'));
  expect((await bench.run()).report.summary).toMatchObject({ failed: 1 });
  expect(bench.pending('shop')).toBeDefined();
  bench.clock.pass(dayMs);
  expect((await bench.run()).report.summary).toMatchObject({ issued: 1 });
  expect(bench.records.values.size).toBe(0);
});
