// What deliveries to many targets cost in calls and connections. `npm run bench` measures the same of more of
// them, of a real API server too, and times.
import { describe, expect, it } from 'vitest';
import { countLists, openFanOut, startEmbedded } from '../bench/fan-out.ts';
import { targetOf } from '../minting/targets.ts';
import { bindingOf, openHarness } from './harness.ts';

const namesOf = (count: number) => Array.from({ length: count }, (_, index) => `tls-${index}`);

/** Delivered to so many targets of one namespace. */
async function openDelivered(count: number, mayList: boolean) {
  const harness = await openHarness({ targets: namesOf(count).map((secret) => targetOf({ secret })) });
  if (mayList) harness.lab.create(bindingOf('shop', 'certrelay-list'));
  await harness.deploy();
  harness.calls();
  return harness;
}

describe('a pass over unchanged targets of one namespace', () => {
  const reads = (count: number) => Array(count).fill('get secrets');
  it.each([
    [4, true, reads(4)],
    [5, true, ['list secrets']],
    [5, false, ['list secrets', ...reads(5)]],
  ] as const)('of which there are %i, with the right to list being %s, makes as few calls as it can', async (count, mayList, calls) => {
    const harness = await openDelivered(count, mayList);
    const report = await harness.deploy();
    expect(report.certificates[0]?.message).toBe(`targets: ${count} unchanged`);
    expect(report.failures.size).toBe(0);
    expect(harness.calls()).toEqual(calls);
  });

  it('puts right what somebody changed, deleted or took the label from', async () => {
    const harness = await openDelivered(6, true);
    const path = '/api/v1/namespaces/shop/secrets';
    await harness.admin.patch(`${path}/tls-0`, { data: { 'tls.crt': 'AAAA' } });
    await harness.admin.remove(`${path}/tls-1`);
    await harness.admin.patch(`${path}/tls-2`, {
      metadata: { labels: { 'app.kubernetes.io/managed-by': null } },
    });
    harness.calls();
    const report = await harness.deploy();
    expect(report.certificates[0]?.message).toBe('targets: 1 refused, 2 delivered, 3 unchanged');
    const calls = harness.calls().filter((call) => call.endsWith(' secrets'));
    expect(calls.toSorted()).toEqual([...reads(2), 'list secrets', 'patch secrets', 'patch secrets']);
  });

  it('reads again what changes between the list and the patch', async () => {
    const harness = await openDelivered(5, true);
    const path = '/api/v1/namespaces/shop/secrets/tls-0';
    await harness.admin.patch(path, { data: { 'tls.crt': 'AAAA' } });
    harness.journal.after(async ({ action }) => {
      if (action === 'list secrets') await harness.admin.patch(path, { data: { other: 'AAAA' } });
    });
    const report = await harness.deploy();
    expect(report.certificates[0]?.message).toBe('targets: 1 delivered, 4 unchanged');
    expect(harness.secret('tls-0')?.data).toMatchObject({
      other: 'AAAA',
      'tls.crt': expect.stringMatching(/^LS0t/),
    });
  });
});

describe('one certificate for many targets in five clusters', () => {
  it.each([
    1, 20,
  ])('of which there are %i costs 3 calls a target, a list a kind and namespace, and one connection a cluster; and where nothing changed, no patch', async (targets) => {
    const subjects = await startEmbedded();
    try {
      const spread = { targets, namespaces: 4, workloads: true };
      const fanOut = await openFanOut(subjects, spread);
      for (const occasion of ['first', 'renewal']) {
        await fanOut.renew();
        expect(await fanOut.deploy(), occasion).toMatchObject({
          delivered: targets,
          mostPerTarget: 3,
          lists: countLists(spread),
          connections: Math.min(targets, 5),
        });
      }
      const again = await fanOut.deploy();
      expect(again).toMatchObject({ unchanged: targets, patches: 0, mostPerTarget: 1, lists: 0 });
    } finally {
      await Promise.all(subjects.map((subject) => subject.stop()));
    }
  });
});
