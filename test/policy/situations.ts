// Situations to judge, and the values from which they are made; any field can be exchanged.
import fc from 'fast-check';
import { namesKey } from '../../lib/certificate/names.ts';
import { keyTypes } from '../../lib/certificate/spec.ts';
import type { Actual, ActualCertificate } from '../../lib/policy/issuance/actual.ts';
import type { Situation } from '../../lib/policy/issuance/decision.ts';
import type { Desired } from '../../lib/policy/issuance/desired.ts';

export const dayMs = 86_400_000;
export const hourMs = 3_600_000;
export const notBefore = new Date('2026-01-01T00:00:00Z');

export const desired = {
  domains: ['shop.example.com', '*.shop.example.com'],
  issuer: 'default',
  directory: 'https://ca.example/directory',
  key: 'ecdsa-p256',
} satisfies Desired;

/** Exactly what is desired, for 90 days: renewal falls due at day 60. */
export const actual: ActualCertificate = {
  kind: 'certificate',
  names: namesKey(desired.domains),
  issuer: desired.directory,
  key: desired.key,
  fingerprint: '0123456789ab'.padEnd(64, '0'),
  notBefore,
  notAfter: afterDays(90),
};

export function afterDays(days: number): Date {
  return new Date(notBefore.getTime() + days * dayMs);
}

const instants = fc.date({ min: afterDays(-100), max: afterDays(200), noInvalidDate: true });

const heldCertificates: fc.Arbitrary<Actual> = fc.record({
  kind: fc.constant('certificate' as const),
  names: fc.constantFrom(actual.names, namesKey(['other.example.com'])),
  issuer: fc.constantFrom(desired.directory, 'https://other.example/directory'),
  profile: fc.constantFrom(undefined, 'shortlived'),
  key: fc.constantFrom(undefined, ...keyTypes),
  fingerprint: fc.stringMatching(/^[0-9a-f]{64}$/),
  notBefore: fc.constant(notBefore),
  notAfter: fc.integer({ min: 1, max: 400 }).map((days) => afterDays(days)),
});

/** Any situation, most of them with a certificate. */
export const situations: fc.Arbitrary<Situation> = fc.record({
  desired: fc.constantFrom(
    desired,
    { ...desired, renewBeforeMs: 30 * dayMs },
    { ...desired, renewBeforeMs: 9_999 * dayMs },
  ),
  actual: fc.oneof(
    { arbitrary: fc.constant<Actual>(actual), weight: 2 },
    { arbitrary: heldCertificates, weight: 4 },
    fc.constantFrom<Actual>(
      { kind: 'nothing' },
      { kind: 'unparsable', problem: 'x' },
      { kind: 'mismatched', problem: 'x' },
    ),
  ),
  pending: fc.option(fc.record({ version: fc.uuid(), deadline: fc.option(instants, { nil: undefined }) }), {
    nil: undefined,
  }),
  failures: fc.option(fc.nat(9), { nil: undefined }),
  nextAttempt: fc.option(instants, { nil: undefined }),
  forced: fc.boolean(),
  paused: fc.option(fc.record({ since: instants }), { nil: undefined }),
  isRevoked: fc.boolean(),
});

/** Any instant near the situations. */
export const nows = instants;
