// What is served at many addresses, judged against the certificate that was delivered.

import { describe, expect, test } from 'vitest';
import type { HandshakeOutcome } from '../../lib/policy/serving/handshake.ts';
import { judgeServed, type Observation, updateServed } from '../../lib/policy/serving/served.ts';
import type { ServedWord } from '../../lib/state/delivery.ts';

const name = 'shop.example.com';
const leaf = (fingerprint: string, names: readonly string[] = [name]): HandshakeOutcome => {
  return { kind: 'leaf', fingerprint, names, notAfter: new Date('2026-03-01T00:00:00Z') };
};
const seen: Readonly<Record<ServedWord, HandshakeOutcome>> = {
  served: leaf('new'),
  unprobed: { kind: 'unprobed', problem: 'no way to IPv6' },
  unreachable: { kind: 'silent', problem: 'ECONNREFUSED' },
  stale: leaf('old'),
  mismatch: leaf('old', ['other.example.com']),
};
const at = (address: string, outcome: HandshakeOutcome, port = 443): Observation => {
  return { name, endpoint: { address, port }, outcome };
};

test('D05 the IPv4 front end serves the new certificate and the IPv6 one the old: stale, and it says where', () => {
  const summary = judgeServed({ fingerprint: 'new' }, [at('127.0.0.1', seen.served), at('::1', seen.stale)]);
  expect(summary).toMatchObject({ served: 'stale', message: 'stale ::1' });
  expect(summary.results.map(({ address, served }) => [address, served])).toEqual([
    ['127.0.0.1', 'served'],
    ['::1', 'stale'],
  ]);
});

describe('one address', () => {
  test.each(Object.entries(seen))('is %s', (word, outcome) => {
    expect(judgeServed({ fingerprint: 'new' }, [at('203.0.113.7', outcome)])).toMatchObject({
      served: word,
      message: `${word} 203.0.113.7`,
    });
  });

  test('that serves the version before is served where that is as good, as before a rollout', () => {
    const expected = { fingerprint: 'new', previous: 'old' };
    expect(judgeServed(expected, [at('203.0.113.7', leaf('old'))]).results).toMatchObject([
      { served: 'served', message: 'serves the previous certificate' },
    ]);
    expect(judgeServed(expected, [at('203.0.113.7', leaf('older'))]).served).toBe('stale');
  });

  test('says what else there is to know of its handshake', () => {
    const outcome = { ...leaf('new'), remark: 'it then failed' } as const;
    expect(judgeServed({ fingerprint: 'new' }, [at('203.0.113.7', outcome)]).results[0]?.message).toBe(
      'serves the current certificate; it then failed',
    );
  });

  test.each<[string, readonly string[], ServedWord]>([
    ['the name among others', ['other.example.com', name], 'stale'],
    ['a wildcard for the name', ['*.example.com'], 'stale'],
    ['a wildcard a label higher', ['*.com'], 'mismatch'],
    ['the name below a wildcard that it is not', ['*.shop.example.com'], 'mismatch'],
    ['no name', [], 'mismatch'],
  ])('with another certificate for %s (%j) is %s', (_, names, served) => {
    expect(judgeServed({ fingerprint: 'new' }, [at('203.0.113.7', leaf('old', names))]).served).toBe(served);
  });
});

describe('many addresses', () => {
  const words: readonly ServedWord[] = ['served', 'unprobed', 'unreachable', 'stale', 'mismatch'];

  test.each(
    words.flatMap((worse, index) => words.slice(0, index).map((better) => [worse, better] as const)),
  )('are %s where one is and another is %s, whichever comes first', (worse, better) => {
    const two = [at('203.0.113.7', seen[worse]), at('203.0.113.8', seen[better])];
    for (const observations of [two, two.toReversed()]) {
      expect(judgeServed({ fingerprint: 'new' }, observations)).toMatchObject({
        served: worse,
        message: `${worse} 203.0.113.7`,
      });
    }
  });

  test('D06 of one address, its ports are told apart', () => {
    const ports = [at('2001:db8::7', seen.served, 8443), at('2001:db8::7', seen.stale, 9443)];
    expect(judgeServed({ fingerprint: 'new' }, ports).message).toBe('stale [2001:db8::7]:9443');
  });

  test('are named up to five, each once', () => {
    const some = Array.from({ length: 7 }, (_, n) => at(`203.0.113.${n}`, seen.stale));
    const five = 'stale 203.0.113.0, 203.0.113.1, 203.0.113.2, 203.0.113.3, 203.0.113.4';
    expect(judgeServed({ fingerprint: 'new' }, [...some, ...some]).message).toBe(`${five} and 2 more`);
    expect(judgeServed({ fingerprint: 'new' }, some.slice(0, 5)).message).toBe(five);
  });

  test('of which there are none are unprobed, and a name without one is named itself', () => {
    expect(judgeServed({ fingerprint: 'new' }, [])).toMatchObject({ served: 'unprobed', results: [] });
    const message = `unprobed ${name}`;
    expect(judgeServed({ fingerprint: 'new' }, [{ name, outcome: seen.unprobed }])).toMatchObject({
      message,
    });
  });
});

describe('the note that is kept', () => {
  const start = Date.UTC(2030, 0, 1);
  const atHour = (hours: number) => new Date(start + hours * 3_600_000);
  const look = (served: ServedWord, hours: number, change: object = {}) => {
    return { version: 'v2', served, isDelivered: true, at: atHour(hours), ...change };
  };
  const record = (version: string, word: ServedWord) => ({ version, word });
  const stale = { served: record('v2', 'stale'), notServedSince: atHour(0), probedAt: atHour(0) };

  test.each<[string, object, ReturnType<typeof look>, object]>([
    ['begins with the first look that finds something else', {}, look('stale', 0), { ...stale }],
    [
      'does not begin before delivery',
      {},
      look('stale', 0, { isDelivered: false }),
      { notServedSince: null },
    ],
    ['goes on with the same word', stale, look('stale', 6), { notServedSince: atHour(0) }],
    [
      'goes on with another kind of something else',
      stale,
      look('mismatch', 1),
      { notServedSince: atHour(0) },
    ],
    ['goes on while nobody answers', stale, look('unreachable', 1), { notServedSince: atHour(0) }],
    [
      'does not begin with an address that is unreachable',
      {},
      look('unreachable', 1),
      { notServedSince: null },
    ],
    [
      'ends when it is served',
      stale,
      look('served', 1),
      { served: record('v2', 'served'), notServedSince: null },
    ],
    ['ends when nobody could look for a day', stale, look('unprobed', 24), { notServedSince: null }],
    [
      'does not go by an instant to come',
      { ...stale, notServedSince: atHour(99) },
      look('stale', 1),
      { notServedSince: atHour(1) },
    ],
    [
      'begins anew with another version',
      { ...stale, served: record('v1', 'stale') },
      look('stale', 1),
      { notServedSince: atHour(1) },
    ],
  ])('counts time: it %s', (_, before, now, change) => {
    expect(updateServed(before, now).change).toMatchObject(change);
  });

  test.each<[string, ReturnType<typeof look>, boolean]>([
    ['the same again', look('stale', 1), false],
    ['the same, six hours later', look('stale', 6), true],
    ['the same, just before that', look('stale', 5.99), false],
    ['another word', look('served', 1), true],
    ['another version', look('stale', 1, { version: 'v3' }), true],
  ])('is written for %s: %o: %s', (_, now, isWritten) => {
    expect(updateServed(stale, now).change !== undefined).toBe(isWritten);
  });

  test('stands while nobody can look: that is not good news', () => {
    const { change, hasChanged, notServedSince } = updateServed(stale, look('unprobed', 23));
    expect([change, hasChanged, notServedSince]).toEqual([undefined, false, atHour(0)]);
  });

  test('is written as soon as delivery makes time count', () => {
    const before = { served: record('v2', 'stale'), probedAt: atHour(0) };
    expect(updateServed(before, look('stale', 1))).toMatchObject({
      change: { notServedSince: atHour(1) },
      hasChanged: false,
    });
  });
});
