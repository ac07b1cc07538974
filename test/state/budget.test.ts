// The 50 tags of an AWS secret: what always has room, what gives way where there is none, and that nothing is
// left behind.
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { certificateTags } from '../../infra/template/tag-keys.ts';
import { essential, expendable, fitTags, tagBudget } from '../../lib/state/budget.ts';
import { decodeState, encodeState } from '../../lib/state/codec/tags.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { anyState, boundedState, cleared } from './states.ts';

const others = (count: number, of: string): Tags =>
  new Map(Array.from({ length: count }, (_, index) => [`${of}${index}`, 'x'] as const));
/** What users may have put there, and fields to come. */
const users = others(tagBudget.users, 'team:tag-');
const toCome = others(tagBudget.reserved, 'certrelay:to-come-');

/** A state is large: finding a smaller one that fails takes minutes. */
const quick = { numRuns: 60, endOnFailure: true };

type Tags = ReadonlyMap<string, string>;

/** The secret's tags after a change. */
function write(there: Tags, change: Parameters<typeof encodeState>[0]): Tags {
  const { write: written, remove } = fitTags(encodeState(change), there);
  return new Map([...[...there].filter(([key]) => !remove.includes(key)), ...Object.entries(written)]);
}

const without = (state: CertificateState, fields: readonly string[]) =>
  Object.fromEntries(
    Object.entries(state).filter(([field, value]) => value !== undefined && !fields.includes(field)),
  );

test('the parts of the budget are 50 together, and every field is in one of its lists', () => {
  const sure = Object.values(essential).reduce((sum, count) => sum + count, 0);
  const { most, users: own, reserved, agents, tagsOfAgent } = tagBudget;
  expect(sure + own + reserved + agents * tagsOfAgent).toBe(most);
  const keys = Object.keys(certificateTags).filter((key) => !key.endsWith('/'));
  expect([...Object.keys(essential), ...expendable].toSorted()).toEqual(keys.toSorted());
});

describe('with everything there at once, five tags of the user’s own and the fields to come', () => {
  it('a state within its bounds is read as it was written, but for what is only an index', () => {
    fc.assert(
      fc.property(boundedState, (state) => {
        const tags = write(users, state);
        expect(new Map([...tags, ...toCome]).size).toBeLessThanOrEqual(tagBudget.most);
        expect([...tags.values()].every((value) => value.length <= 256)).toBe(true);
        expect(without(decodeState(tags), expendable)).toEqual(without(state, expendable));
      }),
      quick,
    );
  });

  it('what is only an index is kept where there is room, and else is not there rather than wrong', () => {
    fc.assert(
      fc.property(anyState, anyState, fc.nat({ max: 40 }), (before, after, count) => {
        const there = new Map([...others(count, 'team:'), ...Object.entries(encodeState(before))]);
        const read = decodeState(write(there, { ...cleared, ...after }));
        for (const field of expendable) expect([after[field], undefined]).toContainEqual(read[field]);
      }),
      quick,
    );
  });

  it('one change after the other keeps within the 50', () => {
    fc.assert(
      fc.property(fc.array(boundedState, { maxLength: 4 }), (changes) => {
        const last = changes.reduce<Tags>((there, change) => write(there, { ...cleared, ...change }), users);
        expect(last.size + tagBudget.reserved).toBeLessThanOrEqual(tagBudget.most);
      }),
      quick,
    );
  });
});

test('without agents and with few tags of others every field has room, and long names too, if no event is owed', () => {
  fc.assert(
    fc.property(boundedState, (state) => {
      const alone = { ...without(state, ['signatures', 'reports', 'owedEvents']) };
      expect(without(decodeState(write(new Map(), alone)), [])).toEqual(alone);
    }),
    quick,
  );
});

describe('a value that was longer before leaves nothing behind:', () => {
  it('a shorter one, or none, empties the parts it does not need, in the same call', () => {
    fc.assert(
      fc.property(anyState, anyState, (before, after) => {
        const change = { ...cleared, ...after };
        const tags = write(new Map(Object.entries(encodeState(before))), change);
        const written = new Set(Object.keys(encodeState(change)));
        const left = [...tags].filter(([key, value]) => value !== '' && !written.has(key));
        expect(left.filter(([key]) => !/certrelay:agent(-report)?\//.test(key))).toEqual([]);
      }),
      quick,
    );
  });
});

describe('where there is no room', () => {
  const full = others(48, 'team:');

  it.each<[string, CertificateState, CertificateState]>([
    ['names are left out', { domains: ['a.example.com'], failures: 1 }, { failures: 1 }],
    ...[252, 253, 254].map((count): [string, CertificateState, CertificateState] => [
      `a person’s words are cut after a whole character: ${count}`,
      { pauseReason: `${'a'.repeat(count)}ü${'b'.repeat(9)}` },
      { pauseReason: 'a'.repeat(count) },
    ]),
    [
      'a freeze is cut in its reason',
      { freeze: { version: 'v', target: '*', reason: 'x'.repeat(600) } },
      { freeze: { version: 'v', target: '*', reason: 'x'.repeat(500) } },
    ],
  ])('%s', (_, state, expected) => {
    expect(without(decodeState(write(full, state)), [])).toEqual(expected);
  });

  it('what is cleared, or only an index, takes its tags away with it', () => {
    const there = new Map([...full, ['certrelay:domains', 'a.example.com'], ['certrelay:error', 'x']]);
    const change = fitTags(encodeState({ domains: ['b.example.com'], error: null, failures: 0 }), there);
    expect(change).toEqual({
      write: { 'certrelay:failures': '0' },
      remove: ['certrelay:error', 'certrelay:domains'],
    });
  });

  it('a write that only replaces tags goes through, because it needs no room', () => {
    const asked = { askAfter: new Date('2027-01-01T00:00:00Z'), failures: 1 };
    const there = new Map([...full, ['certrelay:askAfter', 'x'], ['certrelay:failures', '0']]);
    expect(fitTags(encodeState(asked), there)).toEqual({ write: encodeState(asked), remove: [] });
  });

  it('what an agent may not take away is emptied', () => {
    const there = new Map([...full, ['certrelay:agent-report/edge.1', 'x']]);
    const change = fitTags(encodeState({ reports: { edge: {} } }), there);
    expect(change).toMatchObject({ write: { 'certrelay:agent-report/edge.1': '' }, remove: [] });
  });
});
