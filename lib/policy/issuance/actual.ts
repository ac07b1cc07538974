// What AWSCURRENT contains of a certificate: known from its tags, or from the value if tags do not suffice.
import { verifyBundle } from '../../certificate/bundle.ts';
import { namesKey, namesRequested } from '../../certificate/names.ts';
import type { KeyType } from '../../certificate/spec.ts';
import type { StoredCertificate } from '../../certificate/stored.ts';
import type { CertificateFacts } from '../../certificate/x509.ts';
import type { CertificateState } from '../../state/state.ts';

/** What AWSCURRENT contains. */
export type Actual =
  /** No certificate yet. */
  | { readonly kind: 'nothing' }
  /** A value that no server can use; `problem` says why, without quoting it. */
  | { readonly kind: 'unparsable'; readonly problem: string }
  | { readonly kind: 'mismatched'; readonly problem: string }
  | ActualCertificate;

/** The facts of the stored certificate that judging needs. */
export interface ActualCertificate {
  readonly kind: 'certificate';
  /** `namesKey` of the names that its CA was asked for. */
  readonly names: string;
  /** Directory URL it was ordered from. */
  readonly issuer: string;
  readonly profile?: string | undefined;
  readonly key?: KeyType | undefined;
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** The renewal window that the CA suggests (RFC 9773 §4.2). */
  readonly window?: SuggestedWindow | undefined;
}

/** When to renew a certificate, as its CA suggests (RFC 9773 §4.2). */
export interface SuggestedWindow {
  readonly start: Date;
  readonly end: Date;
  /** The CA's page that explains the window. */
  readonly explanationUrl?: string | undefined;
  /** Whether the CA has just said so; otherwise only the tags say so. */
  readonly isFresh?: boolean | undefined;
}

/** What AWSCURRENT contains, by the tags alone. `undefined` if the value must be read: a tag is missing,
 *  or somebody else wrote the version. Because of this, a pass in which nothing is due reads no value. */
export function actualByTags(entry: {
  readonly current?: string | undefined;
  readonly state: CertificateState;
}): Actual | undefined {
  if (entry.current === undefined) return { kind: 'nothing' };
  const { version, names, issuer, profile, key, fingerprint, notBefore, notAfter } = entry.state;
  if (version !== entry.current || !names || !issuer || !key) return undefined;
  if (!fingerprint || !notBefore || !notAfter) return undefined;
  const { windowStart: start, windowEnd: end, explanationUrl, windowOf, certificateId } = entry.state;
  const window = start && end && windowOf === certificateId ? { start, end, explanationUrl } : undefined;
  return { kind: 'certificate', names, issuer, profile, key, fingerprint, notBefore, notAfter, window };
}

/** A value of AWSCURRENT, as `StoredValue` of the store port has it. */
export type CurrentValue =
  | { readonly kind: 'certificate'; readonly certificate: StoredCertificate }
  | { readonly kind: 'specification' }
  | { readonly kind: 'pending' }
  | { readonly kind: 'unparsable'; readonly problem: string };

/** What AWSCURRENT contains, by its value. Gives the same judgement as the tags that `stateOf` makes of
 *  it. */
export function actualByValue(value: CurrentValue | undefined): Actual {
  switch (value?.kind) {
    case undefined:
    case 'specification':
      return { kind: 'nothing' };
    case 'pending':
      return { kind: 'unparsable', problem: 'it is an order in flight, not a certificate' };
    case 'unparsable':
      return { kind: 'unparsable', problem: value.problem };
    case 'certificate':
      return actualCertificate(value.certificate);
  }
}

function actualCertificate(stored: StoredCertificate): Actual {
  const verdict = verifyBundle(stored);
  if (!verdict.ok) {
    const kind = verdict.problem === 'KeyMismatch' ? 'mismatched' : 'unparsable';
    return { kind, problem: verdict.message };
  }
  const { issuer, profile, requestedNames } = stored;
  return actualByFacts(verdict.bundle.facts, { issuer, profile, requestedNames });
}

/** The actual certificate by its own facts, its origin and the names that its CA was asked for. */
export function actualByFacts(
  facts: CertificateFacts,
  {
    requestedNames,
    ...origin
  }: Pick<ActualCertificate, 'issuer' | 'profile' | 'window'> & Pick<StoredCertificate, 'requestedNames'>,
): ActualCertificate {
  const { keyType, fingerprint, notBefore, notAfter } = facts;
  return {
    kind: 'certificate',
    names: namesKey(namesRequested(requestedNames, facts)),
    key: keyType,
    fingerprint,
    notBefore,
    notAfter,
    ...origin,
  };
}
