// Runs that end at their calls, in the test's own process: a third of the kill matrix, in some seconds. All of it, on both sides
// of each call and with processes and SIGKILL, takes minutes and is in test/matrix.
import { expect, it } from 'vitest';
import { inThisProcess, runKillMatrix } from '../matrix/kill-matrix.ts';

it('a run that ends before any third of its calls is put right by the next one', async () => {
  const { ended, faults } = await runKillMatrix(['before'], inThisProcess, (k) => k % 3 === 1);
  expect(faults).toEqual([]);
  expect(ended.length).toBeGreaterThan(20);
}, 300_000);
