// What a full pass leaves of itself: when this version first ran, and the end of the last pass over
// everything.
import { describe, expect, it } from 'vitest';
import { Bench, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com']);

describe('the record of the installation', () => {
  it('is made by the first pass over everything, and tells when the last one ended', async () => {
    const bench = new Bench([shop]);
    const firstRun = bench.clock.now();
    await bench.run();
    expect(bench.installation.record).toMatchObject({ firstRun, isUpgraded: false });
    const ended = bench.installation.record?.lastPass;
    expect(ended).toEqual(bench.clock.now());
    bench.clock.pass(3_600_000);
    await bench.run();
    expect(bench.installation.record).toMatchObject({ firstRun, lastPass: bench.clock.now() });
  });

  it('says that certificates were there before it where an earlier version has stored some', async () => {
    const bench = new Bench([shop]);
    await bench.run({ certificates: ['shop'] });
    expect(bench.installation.record).toBeUndefined();
    await bench.run();
    expect(bench.installation.record).toMatchObject({ isUpgraded: true });
  });

  it.each([{ dryRun: true }, { certificates: ['shop'] }])('is not touched by %j', async (request) => {
    const bench = new Bench([shop]);
    await bench.run(request);
    expect(bench.installation.record).toBeUndefined();
  });

  it('stops no order where it cannot be read or written, and an error in the log says so', async () => {
    const bench = new Bench([shop]);
    bench.installation.failures.next('read', new Error('denied'));
    const { report } = await bench.run();
    expect(report.summary).toMatchObject({ issued: 1 });
    bench.installation.failures.next('create', new Error('denied'));
    await bench.run();
    const errors = bench.log.lines.filter(({ level }) => level === 'error').map(({ event }) => event);
    expect(errors).toEqual(['installation not read', 'installation not recorded']);
  });

  it('is not noted as ended by the pass that does not know whether it made it: what that pass owes is owed by the next', async () => {
    const bench = new Bench([shop]);
    const create = bench.installation.create.bind(bench.installation);
    bench.installation.create = async (record) => {
      await create(record);
      throw new Error('the answer was lost');
    };
    await bench.run();
    expect(bench.installation.record?.lastPass).toBe('open');
  });
});
