import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { IssuerSpec } from '../../lib/certificate/spec.ts';
import { chooseIssuer, issuersOf } from '../../lib/policy/issuance/issuer-choice.ts';

function issuer(name: string, change: Partial<IssuerSpec> = {}): IssuerSpec {
  return { directory: `https://${name}.example/dir`, contact: [], agreeToTerms: true, ...change };
}

const issuers = { first: issuer('first'), second: issuer('second', { attempts: 2 }), third: issuer('third') };
const all = issuersOf({ issuer: 'first', fallbackIssuers: ['second'] }, issuers);

test.each([
  [0, 'first', 0],
  [2, 'first', 2],
  [3, 'second', 0],
  [4, 'second', 1],
  [5, 'first', 3],
  [7, 'first', 5],
  [8, 'second', 2],
  [10, 'first', 6],
])('after %i failures the order goes to %s, which has %i of its own', (failures, name, own) => {
  expect(chooseIssuer(all, failures)).toMatchObject({ name, failures: own });
});

test('the choice says for whom it stands in, and nothing where it is the preferred one', () => {
  expect(chooseIssuer(all, 2)?.insteadOf).toBeUndefined();
  expect(chooseIssuer(all, 3)?.insteadOf?.name).toBe('first');
});

test('an order in flight stays at its CA, under its profile', () => {
  const { directory } = issuers.first;
  expect(chooseIssuer(all, 4, { issuer: directory })).toMatchObject({ name: 'first', failures: 3 });
  expect(chooseIssuer(all, 4, { issuer: directory, profile: 'other' })?.name).toBe('second');
  expect(chooseIssuer(all, 4, { issuer: 'https://third.example/dir' })?.name).toBe('second');
});

test('issuers that the inventory does not have are left out; without any there is no choice', () => {
  expect(
    issuersOf({ issuer: 'gone', fallbackIssuers: ['third', 'toString'] }, issuers).map(({ name }) => name),
  ).toEqual(['third']);
  expect(chooseIssuer([], 0)).toBeUndefined();
});

test('a single issuer keeps every failure, and over any number of issuers none is lost', () => {
  const attempts = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 5 });
  fc.assert(
    fc.property(attempts, fc.nat(200), (turns, failures) => {
      const named = turns.map((turn, index) => ({
        name: `${index}`,
        issuer: issuer(`${index}`, { attempts: turn }),
      }));
      const own = new Map<string, number>();
      for (let failed = 0; failed < failures; failed += 1) {
        const name = chooseIssuer(named, failed)?.name ?? '';
        own.set(name, (own.get(name) ?? 0) + 1);
      }
      const next = chooseIssuer(named, failures);
      expect(next?.failures).toBe(own.get(next?.name ?? '') ?? 0);
    }),
  );
});
