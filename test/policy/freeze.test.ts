// The hold on a version: how it is noted, whom it concerns, and when the version before may come back.

import { describe, expect, test } from 'vitest';
import { freezeOf, judgeFrozen, judgeRollback, trimFreeze } from '../../lib/policy/delivery/freeze.ts';
import { stateOfTags, tagsOfState } from '../fakes/tags.ts';
import { mintChain } from '../minting/certificates.ts';

const hold = { version: 'v2', target: 'lab/shop/shop-tls', reason: 'Deployment web: 0 of 2, "it" hangs' };

test('a hold is read back, for its version alone', () => {
  const { freeze } = stateOfTags(tagsOfState({ freeze: hold }));
  expect(freezeOf(freeze, 'v2')).toEqual(hold);
  expect(freezeOf(freeze, 'v3')).toBeUndefined();
  expect(freezeOf(undefined, 'v2')).toBeUndefined();
  expect(stateOfTags({ deliveryHeld: 'v2 nothing-more' })).toEqual({});
  expect(trimFreeze({ ...hold, reason: 'r'.repeat(999) }).reason).toHaveLength(200);
});

test('D13 the failed target goes back, what has the version keeps it, and nothing else gets it', () => {
  expect(judgeFrozen(hold, 'lab/shop/shop-tls', true)).toBe('back');
  expect(judgeFrozen(hold, 'lab/shop/other', true)).toBe('proceed');
  expect(judgeFrozen(hold, 'lab/shop/other', false)).toBe('stay');
  expect(judgeFrozen({ ...hold, target: '*' }, 'lab/shop/other', true)).toBe('back');
});

describe('the version before comes back', async () => {
  const [notBefore, notAfter] = [new Date('2026-01-01T00:00:00Z'), new Date('2026-04-01T00:00:00Z')];
  const begin = new Date('2026-03-02T00:00:00Z');
  const minted = await mintChain({ domains: ['a.example.com', 'b.example.com'], notBefore, notAfter });
  const facts = { names: ['b.example.com', 'a.example.com'], isRevoked: false, now: notBefore };
  test.for([
    ['if it has the same names', {}, /^yes$/],
    ['but not if it was revoked', { isRevoked: true }, /revoked/],
    ['but not if it is over', { now: notAfter }, /expired|ended|until/i],
    ['while a quarter of its rest is left', { begin, now: new Date('2026-03-24T12:00:00Z') }, /^yes$/],
    [
      'but not with less',
      { begin, now: new Date('2026-03-24T12:00:01Z') },
      /^it expires at 2026-04-01T00:00:00.000Z$/,
    ],
    ['by hand until its end', { now: new Date('2026-03-31T23:59:00Z') }, /^yes$/],
    [
      'but not with fewer names',
      { names: ['a.example.com', 'b.example.com', 'c.example.com'] },
      /not for .*c\.example\.com/,
    ],
  ] as const)('%s', ([, more, expected]) => {
    const judged = judgeRollback(minted, { ...facts, ...more });
    expect('refusal' in judged ? judged.refusal : 'yes').toMatch(expected);
  });
});
