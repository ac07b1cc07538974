// The first half of the kill matrix: the process ends right before a call is carried out.
import { expect, it } from 'vitest';
import { runKillMatrix } from './kill-matrix.ts';

it('a run killed right before any of its calls, is put right by the next one', async () => {
  const { killed, faults } = await runKillMatrix('before');
  expect(faults).toEqual([]);
  expect(killed.length).toBeGreaterThan(60);
}, 600_000);
