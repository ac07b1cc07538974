// The order of restarts, and what is harm enough to end it.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { RestartPlan } from '../../lib/policy/delivery/restarts.ts';
import { findHarm, planWaves } from '../../lib/policy/delivery/waves.ts';
import { type ServedWord, servedWords } from '../../lib/state/delivery.ts';

const plan = (name: string): RestartPlan => ({ action: 'missing', workload: { kind: 'Deployment', name } });
const canary = { kind: 'Deployment', name: 'canary' } as const;
const namesOf = (names: readonly string[], rollout: Parameters<typeof planWaves>[1]) => {
  const planned = planWaves(names.map(plan), rollout);
  return 'missing' in planned ? 'missing' : planned.waves.map((wave) => wave.map((one) => one.workload.name));
};

describe('planWaves divides the workloads into', () => {
  test.for([
    ['one wave', ['a', 'b'], { waves: 1 }, [['a', 'b']]],
    ['as many as there are', ['a', 'b'], { waves: 2 }, [['a'], ['b']]],
    ['more than there are', ['a', 'b'], { waves: 3 }, [['a'], ['b']]],
    ['uneven ones', ['a', 'b', 'c'], { waves: 2 }, [['a', 'b'], ['c']]],
    ['a canary first', ['a', 'canary', 'b'], { waves: 1, canary }, [['canary'], ['a', 'b']]],
    ['a canary alone', ['canary'], { waves: 2, canary }, [['canary']]],
    ['nothing where the canary does not take part', ['a'], { waves: 1, canary }, 'missing'],
    ['one empty wave where nothing restarts, for it is still looked at', [], { waves: 2 }, [[]]],
  ] as const)('%s', ([, names, rollout, expected]) => {
    expect(namesOf(names, rollout)).toEqual(expected);
  });

  test('every workload has its turn once, in the order given, in no more waves than asked', () => {
    const names = fc.uniqueArray(fc.stringMatching(/^[a-z]{1,3}$/), { minLength: 1 });
    fc.assert(
      fc.property(names, fc.integer({ min: 1, max: 9 }), (all, waves) => {
        const planned = namesOf(all, { waves });
        expect(planned).not.toBe('missing');
        expect([planned].flat(2)).toEqual(all);
        expect(planned.length).toBe(Math.min(waves, all.length));
      }),
    );
  });
});

describe('findHarm', () => {
  const look = (...words: readonly ServedWord[]) => ({
    served: 'served' as const,
    message: '',
    results: words.map((served, index) => ({
      name: 'n',
      address: `192.0.2.${index}`,
      served,
      message: 'm',
    })),
  });
  test.for([
    [['served'], undefined, undefined],
    [['unprobed'], undefined, undefined],
    [['served', 'stale'], undefined, 'stale at 192.0.2.1: m'],
    [['unreachable'], 'unreachable at 192.0.2.0: m', 'unreachable at 192.0.2.0: m'],
    [
      ['mismatch', 'served', 'mismatch'],
      'mismatch at 192.0.2.0: m (and at 1 more)',
      'mismatch at 192.0.2.0: m (and at 1 more)',
    ],
    [['stale', 'unreachable'], 'unreachable at 192.0.2.1: m', 'stale at 192.0.2.0: m (and at 1 more)'],
  ] as const)('%o: %s before the last wave, %s after it', ([words, before, after]) => {
    expect(findHarm(look(...words), false)).toBe(before);
    expect(findHarm(look(...words), true)).toBe(after);
  });

  /** What it is after the last wave where nothing is harmful, by what it was before: the rest is harm. */
  const harmless: Readonly<Record<ServedWord, readonly ServedWord[]>> = {
    served: ['served', 'unprobed'],
    unprobed: ['served', 'unprobed'],
    stale: ['served', 'unprobed', 'stale'],
    mismatch: ['served', 'unprobed', 'stale', 'mismatch'],
    unreachable: ['served', 'unprobed', 'stale', 'mismatch', 'unreachable'],
  };
  test.for(servedWords)('of an address that was %s before, only what is worse is harm', (before) => {
    for (const after of servedWords) {
      const harm = harmless[before].includes(after) ? undefined : `${after} at 192.0.2.0: m`;
      expect(findHarm(look(after), true, look(before)), after).toBe(harm);
      const early = after === 'stale' ? undefined : harm;
      expect(findHarm(look(after), false, look(before)), `${after} before the last wave`).toBe(early);
    }
  });

  test('what one address was before says nothing of another, or of one that nobody knew', () => {
    const after = look('unreachable', 'stale', 'stale');
    expect(findHarm(after, true, look('unreachable', 'served'))).toBe(
      'stale at 192.0.2.1: m (and at 1 more)',
    );
  });
});
