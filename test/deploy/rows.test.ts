// What earlier systems for this job did, tried on the deploy story.
import { expect, test } from 'vitest';
import { targetOf } from '../minting/targets.ts';
import { only, openHarness } from './harness.ts';

test('C10 a cluster that knows Secrets and workloads and no other kind is delivered to, and its workloads roll', async () => {
  const harness = await openHarness({ targets: [targetOf()] });
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  const unknown = { kind: 'error', code: 'NotFound', status: 404 } as const;
  for (const kind of ['cronjobs', 'replicationcontrollers', 'replicasets', 'pods']) {
    harness.faults.set('kubernetes', `list ${kind}`, unknown, Number.POSITIVE_INFINITY);
  }
  const report = await harness.deploy();
  expect(report.failures.size).toBe(0);
  expect(only(report)).toMatchObject({ outcome: 'delivered', restarted: ['Deployment web'] });
  expect(harness.log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
});
