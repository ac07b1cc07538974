// The second half of the kill matrix: the process ends right after a call was carried out and before its answer arrives.
import { expect, it } from 'vitest';
import { inItsProcess, runKillMatrix } from './kill-matrix.ts';

it('a process killed right after any of its calls, before the answer arrives, is put right by the next one', async () => {
  const { ended, faults } = await runKillMatrix(['after'], inItsProcess);
  expect(faults).toEqual([]);
  expect(ended.length).toBeGreaterThan(60);
}, 600_000);
