// Runs that end at any of their calls, in the test's own process: the whole kill matrix in some seconds. With processes and
// SIGKILL it takes minutes, and is in test/matrix.
import { expect, it } from 'vitest';
import { inThisProcess, runKillMatrix } from '../matrix/kill-matrix.ts';

it('a run that ends right before or right after any of its calls is put right by the next one', async () => {
  const { ended, faults } = await runKillMatrix(['before', 'after'], inThisProcess);
  expect(faults).toEqual([]);
  expect(ended.length).toBeGreaterThan(120);
}, 120_000);
