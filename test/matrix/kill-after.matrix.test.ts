// The second half of the kill matrix: the process ends right after a call was carried out and before its answer arrives.
import { expect, it } from 'vitest';
import { runKillMatrix } from './kill-matrix.ts';

it('a run killed right after any of its calls, before the answer arrives, is put right by the next one', async () => {
  const { killed, faults } = await runKillMatrix('after');
  expect(faults).toEqual([]);
  expect(killed.length).toBeGreaterThan(60);
}, 600_000);
