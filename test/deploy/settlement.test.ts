// The end of a pass over many certificates: nothing is done for all of them at once, and the answer stays
// small enough.
import { expect, it } from 'vitest';
import type { CertificateReport } from '../../lib/deploy/invocation.ts';
import { listWorst } from '../../lib/deploy/record/record.ts';
import { targetOf } from '../minting/targets.ts';
import { openHarness } from './harness.ts';

/** Counts how many calls are under way at once; a call lasts a few turns, as a call over the network does. */
function openGauge() {
  let now = 0;
  const gauge = { most: 0, calls: 0 };
  const pass = async <T>(work: () => Promise<T>): Promise<T> => {
    now += 1;
    gauge.calls += 1;
    gauge.most = Math.max(gauge.most, now);
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    now -= 1;
    return work();
  };
  return { gauge, pass };
}

it('of twenty certificates that arrive, sixteen at most are noted at once, and then eight at most looked at', async () => {
  const records = openGauge();
  const looks = openGauge();
  const harness = await openHarness({
    targets: [targetOf({ restart: 'none' })],
    seenBy: (store) => ({
      list: () => store.list(),
      describe: (name) => store.describe(name),
      read: (name, which) => store.read(name, which),
      record: (name, state) => {
        if (looks.gauge.calls === 0) return records.pass(() => store.record(name, state));
        expect(state).not.toHaveProperty('deployed');
        return store.record(name, state);
      },
    }),
    looking: looks.pass,
  });
  for (let index = 1; index < 20; index += 1) {
    const target = targetOf({ secret: `tls-${index}`, restart: 'none' });
    await harness.issue(`shop-${index}`, 'version-1', [target]);
  }
  harness.sightings.push(['served']);
  const { certificates } = await harness.deploy();
  expect(certificates.map(({ served }) => served)).toEqual(Array(20).fill('served'));
  expect(records.gauge).toEqual({ calls: 20, most: 16 });
  expect(looks.gauge).toEqual({ calls: 20, most: 8 });
});

const reportOf = (name: string, decision: CertificateReport['decision'], targets = 1): CertificateReport => ({
  name,
  decision,
  message: '',
  targets: Array.from({ length: targets }, () => ({
    certificate: name,
    target: 'lab/shop/shop-tls',
    outcome: 'unchanged',
    restarted: [],
    message: '',
  })),
});
const many = (count: number, targets?: number) =>
  Array.from({ length: count }, (_, index) => reportOf(`shop-${index}`, 'unchanged', targets));

it.each([
  ['2,000 certificates', many(2_000), 2_000, undefined],
  ['one more', many(2_001), 2_000, 1],
  ['10,000 targets', many(500, 20), 500, undefined],
  ['more', many(501, 20), 500, 1],
  ['one certificate with more', many(1, 10_001), 1, undefined],
])('an answer about %s lists as many as it has room for, and counts the others', (_, reports, listed, omitted) => {
  const answer = listWorst(reports);
  expect([answer.certificates.length, answer.omitted]).toEqual([listed, omitted]);
});

it('an answer lists the worst first, and leaves out what there is nothing to say of', () => {
  const worst = [reportOf('refused', 'refused'), reportOf('held', 'held'), reportOf('pending', 'pending')];
  const { certificates } = listWorst([reportOf('skipped', 'skip'), ...many(1_999), ...worst.toReversed()]);
  expect(certificates.slice(0, 4).map(({ name }) => name)).toEqual(['refused', 'held', 'pending', 'shop-0']);
  expect(certificates).toHaveLength(2_000);
});
