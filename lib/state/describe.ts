// Describes a registered specification and a stored certificate as state.
import { namesKey, namesRequested } from '../certificate/names.ts';
import { isSecretTarget, type KeyType } from '../certificate/spec.ts';
import type { SpecSource, StoredCertificate, StoredSpec } from '../certificate/stored.ts';
import { type CertificateFacts, certificateId } from '../certificate/x509.ts';
import type { CertificateState } from './state.ts';
import { targetsKey } from './targets.ts';

/** Fields of `CertificateState` that describe a specification. They are enough to recognize it without
 *  reading the value, which may contain a private key. */
export type SpecState = Required<Pick<CertificateState, 'source' | 'names' | 'targets'>> &
  Pick<CertificateState, 'place' | 'domains'>;

/** State to record with a stored specification. */
export function stateOfSpec(spec: StoredSpec): SpecState {
  const { source, domains, targets } = spec;
  const told = keepDomains(domains);
  return {
    source,
    names: namesKey(domains),
    targets: targetsKey(targets),
    ...(told === undefined ? {} : { domains: told }),
    ...placeOf(spec),
  };
}

/** The namespace of a discovered specification. Other sources get no field, so that nothing is written for
 *  them. */
function placeOf({ source, targets }: StoredSpec): Pick<CertificateState, 'place'> {
  const [target] = source === 'discovery' ? targets.filter(isSecretTarget) : [];
  return target ? { place: { cluster: target.cluster, namespace: target.namespace } } : {};
}

/** Fields of `CertificateState` that describe one version. `null` clears what an earlier version left. */
export interface VersionState {
  readonly version: string;
  readonly names: string;
  readonly issuer: string;
  readonly profile: string | null;
  readonly key: KeyType | null;
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly certificateId: string | null;
  /** The CA's suggestion was about the previous version. */
  readonly windowStart: null;
  readonly windowEnd: null;
  readonly explanationUrl: null;
  readonly source: SpecSource | null;
  readonly place?: NonNullable<CertificateState['place']>;
  readonly domains: readonly string[] | null;
}

/** State to record for a certificate stored as `version`; `facts` are those of its leaf. */
export function stateOf(
  version: string,
  facts: CertificateFacts,
  stored: Pick<StoredCertificate, 'issuer' | 'profile' | 'requestedNames' | 'spec'>,
): VersionState {
  return {
    version,
    names: namesKey(namesRequested(stored.requestedNames, facts)),
    issuer: stored.issuer,
    profile: stored.profile ?? null,
    key: facts.keyType ?? null,
    fingerprint: facts.fingerprint,
    notBefore: facts.notBefore,
    notAfter: facts.notAfter,
    certificateId: certificateId(facts) ?? null,
    windowStart: null,
    windowEnd: null,
    explanationUrl: null,
    source: stored.spec?.source ?? null,
    ...(stored.spec && placeOf(stored.spec)),
    domains: (stored.spec && keepDomains(stored.spec.domains)) ?? null,
  };
}

/** An AWS secret has 50 tags of 256 characters: names may take a few of them. */
const longestDomains = 1000;

/** The names, or `undefined` if they do not fit into tags. Then the value must be read for them. */
function keepDomains(domains: readonly string[]): readonly string[] | undefined {
  return domains.join('/').length <= longestDomains ? domains : undefined;
}
