import { beforeAll, describe, expect, test } from 'vitest';
import type { StoredCertificate } from '../../lib/certificate/stored.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { actualByTags, actualByValue } from '../../lib/policy/issuance/actual.ts';
import { judge } from '../../lib/policy/issuance/decision.ts';
import { stateOf } from '../../lib/state/describe.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import { mintChain } from '../minting/certificates.ts';
import { afterDays, desired, notBefore } from './situations.ts';

const version = '4b3f5c1e-0000-4000-8000-000000000001';
let stored: StoredCertificate;
let state: CertificateState;

beforeAll(async () => {
  const minted = await mintChain({ domains: desired.domains, notBefore, notAfter: afterDays(90) });
  stored = { chain: minted.chain, key: minted.key, issuer: desired.directory };
  const described = Object.entries(stateOf(version, readCertificate(stored.chain), stored));
  state = Object.fromEntries(described.filter(([, value]) => value !== null)) as CertificateState;
});

describe('tags and value give the same judgement', () => {
  test.each([0, 30, 60, 90])('at day %i', (day) => {
    const byTags = actualByTags({ current: version, state });
    const byValue = actualByValue({ kind: 'certificate', certificate: stored });
    if (byTags === undefined) throw new Error('the tags were not enough');
    for (const asked of [
      desired,
      { ...desired, domains: ['a.example'] },
      { ...desired, profile: 'tlsserver' },
    ]) {
      const now = afterDays(day);
      expect(judge({ desired: asked, actual: byTags }, now)).toEqual(
        judge({ desired: asked, actual: byValue }, now),
      );
    }
  });
});

describe('tags are enough', () => {
  test('where the AWS secret or its current version is missing', () => {
    expect(actualByTags({ state: {} })).toEqual({ kind: 'nothing' });
    expect(actualByTags({ state })).toEqual({ kind: 'nothing' });
  });

  test('not where somebody else wrote the current version', () => {
    expect(actualByTags({ current: 'another', state })).toBeUndefined();
    expect(actualByTags({ current: version, state: {} })).toBeUndefined();
  });

  test.each([
    'names',
    'issuer',
    'key',
    'fingerprint',
    'notBefore',
    'notAfter',
  ] as const)('not where the tag for %s is missing', (field) => {
    expect(actualByTags({ current: version, state: { ...state, [field]: undefined } })).toBeUndefined();
  });
});

describe('a value without a usable certificate', () => {
  test('holds nothing where it is a specification or absent', () => {
    expect(actualByValue({ kind: 'specification' })).toEqual({ kind: 'nothing' });
    expect(actualByValue(undefined)).toEqual({ kind: 'nothing' });
  });

  test('is told by what is wrong with it', async () => {
    const { key } = await mintChain({ domains: desired.domains, notBefore, notAfter: afterDays(90) });
    const changed = (change: Partial<StoredCertificate>) =>
      actualByValue({ kind: 'certificate', certificate: { ...stored, ...change } });
    expect(changed({ key })).toMatchObject({ kind: 'mismatched' });
    expect(changed({ chain: 'x' })).toMatchObject({ kind: 'unparsable' });
    expect(actualByValue({ kind: 'pending' })).toMatchObject({ kind: 'unparsable' });
    expect(actualByValue({ kind: 'unparsable', problem: 'not JSON' })).toEqual({
      kind: 'unparsable',
      problem: 'not JSON',
    });
  });
});

test('state of a version says what it does not have, so that tags of the version before go away', () => {
  const spec = {
    ...stored,
    name: 'shop',
    domains: [],
    key: 'rsa-2048',
    targets: [],
    source: 'registration',
  } as const;
  const facts = { ...readCertificate(stored.chain), keyType: undefined };
  expect(stateOf(version, facts, { issuer: 'https://ca.example', profile: 'tlsserver', spec })).toMatchObject(
    {
      key: null,
      profile: 'tlsserver',
      source: 'registration',
    },
  );
});
