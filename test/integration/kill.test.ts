// A part of the kill matrix, spread over the whole run; all of it is in test/matrix.
import { expect, it } from 'vitest';
import { runKillMatrix } from './kill-matrix.ts';

const stride = 9;

it.each([
  'before',
  'after',
] as const)('a run killed right %s every ninth of its calls is put right by the next one', async (side) => {
  const { killed, faults } = await runKillMatrix(side, { first: side === 'before' ? 1 : 5, stride });
  expect(faults).toEqual([]);
  expect(killed.length).toBeGreaterThan(6);
}, 120_000);
