// The other side of the kill matrix (test/integration/crashes.test.ts): the process ends right before a call
// is carried out.
import { expect, it } from 'vitest';
import { runKillMatrix } from './kill-matrix.ts';

it('a process killed right before any of its calls is put right by the next one', async () => {
  const { ended, faults } = await runKillMatrix('before');
  expect(faults).toEqual([]);
  expect(ended.length).toBeGreaterThan(60);
}, 600_000);
