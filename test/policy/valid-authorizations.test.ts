// Until when an order needs no proof, by what the CA said last: both sides of each boundary.
import { describe, expect, it, test } from 'vitest';
import { boundTimes } from '../../lib/policy/issuance/time-bounds.ts';
import {
  areAuthorized,
  type OrderToAuthorize,
  summarizeAuthorizations,
} from '../../lib/policy/issuance/valid-authorizations.ts';

const [dayMs, hourMs] = [86_400_000, 3_600_000];
const validatedAt = new Date('2026-11-22T10:00:00Z');
const at = (ms: number) => new Date(validatedAt.getTime() + ms);
const order = {
  accountUrl: 'https://ca.example/acct/1',
  profile: 'tlsserver',
  domains: ['shop.example.com', '*.shop.example.com'],
};

/** An authorization as the CA shows it. */
function shown(lifetimeMs: number | undefined, type: string | undefined = 'dns-01', status = 'valid') {
  const challenges = type === undefined ? [] : [{ type, status: 'valid' }];
  return { status, challenges, ...(lifetimeMs !== undefined && { expires: at(lifetimeMs) }) };
}

const said = (...authorizations: readonly ReturnType<typeof shown>[]) =>
  summarizeAuthorizations(authorizations, order, validatedAt);

describe('the names are proved', () => {
  it.each([
    ['classic, until 2027-02-10', 30 * dayMs, 30 * dayMs - 21 * hourMs],
    ['classic, from 2027-02-10', 10 * dayMs, 10 * dayMs - 21 * hourMs],
    ['tlsserver and shortlived', 7 * hourMs, 6 * hourMs],
    ['a CA whose authorizations last 3 hours', 3 * hourMs, 2 * hourMs],
    ['an old one of a day', dayMs, dayMs - 21 * hourMs],
  ])('%s: as long as the CA reuses an authorization, and no longer', (_, lifetimeMs, untilMs) => {
    const known = said(shown(lifetimeMs));
    expect([0, untilMs - 1, untilMs].map((ms) => areAuthorized(known, order, at(ms)))).toEqual([
      true,
      true,
      false,
    ]);
  });

  it.each([
    ['an old one of 20 hours', 20 * hourMs],
    ['one of little more than 7 hours', 7 * hourMs + 1],
    ['one of an hour', hourMs],
    ['one of 70 seconds', 70_000],
  ])('%s: at no time, because its end is near', (_, lifetimeMs) => {
    expect(areAuthorized(said(shown(lifetimeMs)), order, validatedAt)).toBe(false);
  });

  it('until the first authorization ends', () => {
    const known = said(shown(30 * dayMs), shown(7 * hourMs));
    expect(areAuthorized(known, order, at(5 * hourMs))).toBe(true);
    expect(areAuthorized(known, order, at(8 * hourMs))).toBe(false);
  });

  it('by whatever order and repetition of the names', () => {
    const domains = [...order.domains, ...order.domains].toReversed();
    expect(areAuthorized(said(shown(dayMs)), { ...order, domains }, validatedAt)).toBe(true);
  });

  it('whatever a CA calls its challenges, within the room of a tag', () => {
    const methods = [
      'dns-01',
      'x'.repeat(31),
      'a b',
      ...Array.from({ length: 9 }, (_, index) => `x-${index}`),
    ];
    const known = said(...methods.map((type) => shown(dayMs, type)));
    expect(known?.methods).toEqual(['dns-01', 'x-0', 'x-1', 'x-2']);
    expect(areAuthorized(known, order, validatedAt)).toBe(true);
  });

  it('where the CA names no challenge, because it knows its customer', () => {
    expect(areAuthorized(said({ ...shown(dayMs), challenges: [] }), order, validatedAt)).toBe(true);
  });
});

test.each<[string, Partial<OrderToAuthorize>]>([
  ['another profile', { profile: 'shortlived' }],
  ['the profile that the CA chooses', { profile: undefined }],
  ['another account', { accountUrl: 'https://ca.example/acct/2' }],
  ['an account that is not known', { accountUrl: undefined }],
  ['one more name', { domains: [...order.domains, 'new.example.com'] }],
  ['one name less', { domains: ['shop.example.com'] }],
])('the names are not proved for %s', (_, change) => {
  const known = said(shown(30 * dayMs));
  expect(areAuthorized(known, order, validatedAt)).toBe(true);
  expect(areAuthorized(known, { ...order, ...change }, validatedAt)).toBe(false);
});

test.each([
  ['nothing', []],
  ['no end of one of them', [shown(dayMs), shown(undefined)]],
  ['that one is not valid', [shown(dayMs), shown(dayMs, 'dns-01', 'deactivated')]],
  ['an end that is over', [shown(dayMs), shown(0)]],
  [
    'that one was proved by a record that it looks at for every order',
    [shown(dayMs), shown(dayMs, 'dns-persist-01')],
  ],
])('nothing is remembered of a CA that says %s', (_, authorizations) => {
  expect(said(...authorizations)).toBeUndefined();
  expect(areAuthorized(undefined, order, validatedAt)).toBe(false);
});

describe('what no CA may say is not believed:', () => {
  it('authorizations end after 200 days whatever the CA says', () => {
    expect(said(shown(3_650 * dayMs))?.expires).toEqual(at(200 * dayMs));
  });

  it.each([
    ['200 days', 200 * dayMs, 0, true],
    ['more', 200 * dayMs + 1, 0, false],
    ['an answer of five minutes to come, by another clock', dayMs, 5 * 60_000, true],
    ['a later answer', dayMs, 5 * 60_000 + 1, false],
  ])('%s on a tag', (_, lifetimeMs, readAfterMs, isBelieved) => {
    const readAt = at(readAfterMs);
    const expires = new Date(readAt.getTime() + lifetimeMs);
    const subject = said(shown(dayMs))?.subject ?? '';
    const authorizations = { expires, readAt, methods: ['dns-01'], subject, profile: order.profile };
    expect(areAuthorized(authorizations, order, validatedAt)).toBe(isBelieved);
    const bounded = boundTimes({ authorizations }, validatedAt);
    expect(bounded.corrected).toEqual(isBelieved ? [] : ['authorizations']);
    expect(bounded.state.authorizations).toEqual(isBelieved ? authorizations : undefined);
  });
});
