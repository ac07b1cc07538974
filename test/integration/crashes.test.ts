// One side of the kill matrix: the process ends right after a call was carried out and before its answer
// arrives. For what is left outside that is also right before the next call; the table of that side by itself
// is in test/matrix.
import { it } from 'vitest';
import { runKillMatrix } from '../matrix/kill-matrix.ts';

// Two halves, for two processors.
it.concurrent.for([
  { calls: 'odd', rest: 1 },
  { calls: 'even', rest: 0 },
])(
  'a process killed right after any of its $calls calls, before the answer arrives, is put right by the next one',
  { timeout: 300_000 },
  async ({ rest }, { expect }) => {
    const { ended, faults } = await runKillMatrix('after', (k) => k % 2 === rest);
    expect(faults).toEqual([]);
    expect(ended.length).toBeGreaterThan(30);
  },
);
