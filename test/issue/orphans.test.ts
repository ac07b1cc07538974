// TXT values whose order is over, or whose certificate nobody asks for any more.
import { expect, it } from 'vitest';
import { AcmeError } from '../../lib/ports/acme.ts';
import { DnsError } from '../../lib/ports/dns.ts';
import { StoreError } from '../../lib/ports/store.ts';
import { crash, dayMs, Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com', '*.shop.example.com']);
const foreign = '_acme-challenge.shop.example.com somebody-elses-value-of-forty-three-characters';

it('K36 a definition that is removed while its order is under way leaves no TXT value and no claim', async () => {
  const harness = new Harness([shop]);
  harness.records.values.add(foreign);
  await crash(harness);
  expect(harness.records.values.size).toBe(3);
  const removed = { inventory: { ...harness.inventory, certificates: [] } };

  await harness.run({}, { ...removed });
  expect(harness.records.values.size, 'the run may be alive').toBe(3);
  harness.clock.pass(16 * 60_000);
  await harness.run({ dryRun: true }, removed);
  expect(harness.records.values.size, 'a dry run changes nothing').toBe(3);
  await harness.run({}, removed);
  expect([...harness.records.values]).toEqual([foreign]);
  expect(harness.pending('shop')).toBeUndefined();
  const writes = harness.store.calls.length;
  await harness.run({}, removed);
  expect(harness.store.calls.slice(writes)).toEqual(['list *']);
});

it('an orphan that cannot be cleaned up is tried again, and ends no pass', async () => {
  const harness = new Harness([shop]);
  await crash(harness);
  harness.clock.pass(16 * 60_000);
  const blog = specOf('blog', ['blog.example.com']);
  const removed = { inventory: { ...harness.inventory, certificates: [blog] } };
  const cleanUp = harness.records.cleanUp.bind(harness.records);
  harness.records.cleanUp = async (values) => {
    if (values.some(({ name }) => name.includes('shop'))) throw new DnsError('Failed', 'throttled');
    return cleanUp(values);
  };
  const { report } = await harness.run({}, removed);
  expect(report.summary).toEqual({ certificates: 1, issued: 1 });
  expect(harness.log.lines.at(-1)?.level).not.toBe('error');
  expect(harness.log.lines).toContainEqual(
    expect.objectContaining({ level: 'warn', event: 'orphan not cleaned up' }),
  );
  harness.records.cleanUp = cleanUp;
  // The run of before has ended: nobody waits for its deadline.
  await harness.run({}, removed);
  expect(harness.records.values.size).toBe(0);
});

it('K39 values of an order that the CA has forgotten are taken away, and another order is made', async () => {
  const harness = new Harness([shop]);
  harness.records.values.add(foreign);
  await crash(harness);
  harness.ca.orders.clear();
  harness.clock.pass(dayMs);
  expect((await harness.run()).report.summary).toEqual({ certificates: 1, issued: 1 });
  expect([...harness.records.values]).toEqual([foreign]);
});

it('names that the specification has given up meanwhile are cleaned up too, over several crashes', async () => {
  const harness = new Harness([shop]);
  await crash(harness);
  for (const name of ['one.example.com', 'two.example.com']) {
    harness.clock.pass(dayMs);
    Object.assign(harness.inventory, { certificates: [specOf('shop', [name])] });
    await crash(harness);
  }
  harness.clock.pass(dayMs);
  const { report } = await harness.run();
  expect(report.summary).toEqual({ certificates: 1, issued: 1 });
  expect(harness.records.values.size).toBe(0);
});

it('a pass writes every value down before it is in DNS', async () => {
  const harness = new Harness([shop]);
  const present = harness.records.present.bind(harness.records);
  const journals: (readonly string[] | undefined)[] = [];
  harness.records.present = async (values) => {
    journals.push(harness.state('shop').txt);
    expect(values.every(({ value }) => harness.state('shop').txt?.includes(value.slice(0, 8)))).toBe(true);
    return present(values);
  };
  await harness.run();
  expect(journals.map((journal) => journal?.length)).toEqual([2]);
  expect(harness.state('shop').txt ?? null).toBeNull();
});

it('a run that takes over takes the values away even where the CA cannot be reached', async () => {
  const harness = new Harness([shop]);
  await crash(harness);
  harness.clock.pass(dayMs);
  harness.ca.failures.next('readOrder', new AcmeError('Unreachable', 'no answer'));
  expect((await harness.run()).report.summary).toMatchObject({ failed: 1 });
  expect(harness.records.values.size).toBe(0);
  expect(harness.pending('shop'), 'the CA may have issued for its key').toBeDefined();
});

it('a run that takes over without learning what was left keeps the claim for the next', async () => {
  const harness = new Harness([shop]);
  await crash(harness);
  harness.clock.pass(dayMs);
  harness.store.failures.next('describe', new StoreError('Failed', 'throttled'));
  expect((await harness.run()).report.summary).toMatchObject({ failed: 1 });
  expect(harness.pending('shop')).toBeDefined();
  harness.clock.pass(dayMs);
  expect((await harness.run()).report.summary).toMatchObject({ issued: 1 });
  expect(harness.records.values.size).toBe(0);
});
