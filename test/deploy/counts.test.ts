// What deliveries to many targets cost in calls and connections. `npm run bench` measures the same of more of them, of a real
// API server too, and times.
import { describe, expect, it } from 'vitest';
import { countLists, openFanOut, startEmbedded } from '../bench/fan-out.ts';

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
