// What a full pass leaves of itself: when this version first ran, and the end of the last pass over
// everything.
import { describe, expect, it } from 'vitest';
import { Harness, specOf } from './harness.ts';

const shop = specOf('shop', ['shop.example.com']);

describe('the record of the installation', () => {
  it('is made by the first pass over everything, and tells when the last one ended', async () => {
    const harness = new Harness([shop]);
    const firstRun = harness.clock.now();
    await harness.run();
    expect(harness.installation.record).toMatchObject({ firstRun, isUpgraded: false });
    const ended = harness.installation.record?.lastPass;
    expect(ended).toEqual(harness.clock.now());
    harness.clock.pass(3_600_000);
    await harness.run();
    expect(harness.installation.record).toMatchObject({ firstRun, lastPass: harness.clock.now() });
  });

  it('says that certificates were there before it where an earlier version has stored some', async () => {
    const harness = new Harness([shop]);
    await harness.run({ certificates: ['shop'] });
    expect(harness.installation.record).toBeUndefined();
    await harness.run();
    expect(harness.installation.record).toMatchObject({ isUpgraded: true });
  });

  it.each([{ dryRun: true }, { certificates: ['shop'] }])('is not touched by %j', async (request) => {
    const harness = new Harness([shop]);
    await harness.run(request);
    expect(harness.installation.record).toBeUndefined();
  });

  it('stops no order where it cannot be read or written, and an error in the log says so', async () => {
    const harness = new Harness([shop]);
    harness.installation.failures.next('read', new Error('denied'));
    const { report } = await harness.run();
    expect(report.summary).toMatchObject({ issued: 1 });
    harness.installation.failures.next('create', new Error('denied'));
    await harness.run();
    const errors = harness.log.lines.filter(({ level }) => level === 'error').map(({ event }) => event);
    expect(errors).toEqual(['installation not read', 'installation not recorded']);
  });

  it('is not noted as ended by the pass that does not know whether it made it: what that pass owes is owed by the next', async () => {
    const harness = new Harness([shop]);
    const create = harness.installation.create.bind(harness.installation);
    harness.installation.create = async (record) => {
      await create(record);
      throw new Error('the answer was lost');
    };
    await harness.run();
    expect(harness.installation.record?.lastPass).toBe('open');
  });
});
