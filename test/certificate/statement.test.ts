// Statements for agents: one is good for just what was signed, by just the keys that are trusted.
import { generateKeyPairSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DeliveryStatement,
  isPublicKey,
  publicKeyOf,
  readStatement,
  signStatement,
  verifyStatement,
} from '../../lib/certificate/statement.ts';

const newKey = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const [key, otherKey] = [newKey(), newKey()];
const trusted = [publicKeyOf(key)];
const statement: DeliveryStatement = {
  cluster: 'edge',
  certificate: 'shop',
  version: 'f'.repeat(64),
  fingerprint: 'a'.repeat(64),
  notBefore: new Date('2026-11-01T00:00:00Z'),
  notAfter: new Date('2027-01-30T00:00:00Z'),
  signedAt: new Date('2026-11-01T00:05:00Z'),
  isRollback: false,
};
const text = signStatement(statement, key);

test('W13 what was signed is believed, and fits in one tag', () => {
  expect(verifyStatement(text, statement, trusted)).toEqual({ ok: true, statement });
  expect(text).toMatch(/^[A-Za-z0-9+\-._:/@]{1,256}$/);
  expect(readStatement(text)).toMatchObject({ version: statement.version, isRollback: false });
  expect(verifyStatement(text, statement, [publicKeyOf(otherKey), ...trusted])).toMatchObject({ ok: true });
});

describe('W13 not believed is', () => {
  const others: readonly [keyof DeliveryStatement, Partial<DeliveryStatement>][] = [
    ['cluster', { cluster: 'other' }],
    ['certificate', { certificate: 'api' }],
    ['fingerprint', { fingerprint: 'b'.repeat(64) }],
    ['notBefore', { notBefore: new Date('2026-11-02T00:00:00Z') }],
    ['notAfter', { notAfter: new Date('2027-01-31T00:00:00Z') }],
  ];
  const targets = 'T'.repeat(43);
  const withTargets = signStatement(
    { ...statement, version: 'f'.repeat(64), isRollback: true, targets },
    key,
  );
  test.each(others)('a statement about another %s', (_, change) => {
    expect(verifyStatement(text, { ...statement, ...change }, trusted)).toEqual({
      ok: false,
      problem: 'BadSignature',
    });
  });

  test('one about another version, which is said so, because the next pass of issue mends it', () => {
    const content = { ...statement, version: 'e'.repeat(64) };
    expect(verifyStatement(text, content, trusted)).toEqual({ ok: false, problem: 'OtherVersion' });
  });

  test('W13 one about other targets, about none, or with others written over its own', () => {
    expect(withTargets).toMatch(/^[A-Za-z0-9+\-._:/@]{1,256}$/);
    expect(verifyStatement(withTargets, { ...statement, targets }, trusted)).toMatchObject({ ok: true });
    // Whoever goes by an inventory of his own does not ask what they are.
    expect(verifyStatement(withTargets, statement, trusted)).toMatchObject({ ok: true });
    const others = 'U'.repeat(43);
    const problems = [
      verifyStatement(withTargets, { ...statement, targets: others }, trusted),
      verifyStatement(text, { ...statement, targets }, trusted),
      verifyStatement(withTargets.replace(targets, others), { ...statement, targets: others }, trusted),
      verifyStatement(withTargets.replace(`${targets}/`, ''), statement, trusted),
    ].map((verdict) => ('problem' in verdict ? verdict.problem : 'believed'));
    expect(problems).toEqual(['OtherTargets', 'OtherTargets', 'BadSignature', 'BadSignature']);
  });

  test.each([
    ['the instant of signing', text.replace('T00:05', 'T00:06')],
    ['the mark of a rollback', text.replace('renewal', 'rollback')],
    [
      'a bit of the signature',
      text.replace(/.{2}$/, (end) => (end.startsWith('A') ? `B${end[1]}` : `A${end[1]}`)),
    ],
  ])('one in which %s was changed', (_, changed) => {
    expect(changed).not.toBe(text);
    expect(verifyStatement(changed, statement, trusted)).toEqual({ ok: false, problem: 'BadSignature' });
  });

  test('one by another key, and none at all', () => {
    const theirs = signStatement(statement, otherKey);
    expect(verifyStatement(theirs, statement, trusted)).toEqual({ ok: false, problem: 'BadSignature' });
    expect(verifyStatement(text, statement, [])).toEqual({ ok: false, problem: 'BadSignature' });
    expect(verifyStatement(undefined, statement, trusted)).toEqual({ ok: false, problem: 'Unsigned' });
  });

  test('any text that is no statement, without an error', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (any) => {
        expect(verifyStatement(any, statement, trusted)).toEqual({ ok: false, problem: 'Unsigned' });
      }),
    );
  });
});

test('a public key is 43 characters', () => {
  expect(isPublicKey(publicKeyOf(key))).toBe(true);
  expect([trusted[0]?.slice(1), `${trusted[0]}=`, 'x'].some((one) => isPublicKey(one ?? ''))).toBe(false);
});
