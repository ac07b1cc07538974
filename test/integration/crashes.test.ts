// Runs that end at any of their calls, in the test's own process, in some seconds. What the outside sees of a run that ends
// before its next call is what it sees of one that ends after the call before; both sides, with processes and SIGKILL, take
// minutes and are in test/matrix.
import { expect, it } from 'vitest';
import { inThisProcess, runKillMatrix } from '../matrix/kill-matrix.ts';

it('a run that ends at any of its calls is put right by the next one', async () => {
  const { ended, faults } = await runKillMatrix(['before'], inThisProcess);
  expect(faults).toEqual([]);
  expect(ended.length).toBeGreaterThan(60);
}, 300_000);
