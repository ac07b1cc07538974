// Many more simulations than `npm test` has time for.
import { describe, expect, it } from 'vitest';
import { simulate } from '../simulation/run.ts';

const first = 1_000;
const count = 150;

describe('issue and deploy over virtual days', () => {
  it.each(
    Array.from({ length: count / 10 }, (_, index) => first + index * 10),
  )('keep their promises for ten seeds from %i', async (from) => {
    const broken: string[] = [];
    for (let seed = from; seed < from + 10; seed += 1) {
      const { violation } = await simulate(String(seed));
      if (violation) broken.push(`${violation.message}; npm run simulate -- --seed ${seed}`);
    }
    expect(broken).toEqual([]);
  });
});
