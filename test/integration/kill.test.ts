// A part of the kill matrix, spread over the whole run; all of it is in test/matrix.
import { expect, it } from 'vitest';
import { runKillMatrix } from './kill-matrix.ts';

const stride = 20;

it.each([
  'before',
  'after',
] as const)('a run killed right %s every twentieth of its calls is put right by the next one', async (side) => {
  const { killed, faults } = await runKillMatrix(side, { first: side === 'before' ? 1 : 11, stride });
  expect(faults).toEqual([]);
  expect(killed.length).toBeGreaterThan(2);
}, 120_000);
