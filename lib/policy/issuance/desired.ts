// What a specification asks for, with the issuer of its next order.
import type { CertificateSpec, Inventory, KeyType } from '../../certificate/spec.ts';
import type { CertificateState } from '../../state/state.ts';
import type { ActualCertificate } from './actual.ts';
import {
  chooseIssuer,
  type IssuerChoice,
  issuersOf,
  issuersOfSource,
  type NamedIssuer,
} from './issuer-choice.ts';

/** What a certificate should be, and where its next order goes. */
export interface Desired {
  /** The names. Absent if the specification is stored with the certificate and was not read: then the
   *  stored certificate's names. */
  readonly domains?: readonly string[] | undefined;
  /** The issuer of the next order: its key in `Inventory.issuers`, directory URL and profile. It is chosen
   *  here once; claim, order, rehearsal and judgement take it from here. */
  readonly issuer: string;
  readonly directory: string;
  readonly profile?: string | undefined;
  /** The issuer that validates the names before the order. Absent unless the issuer names one and an
   *  attempt at it has failed. */
  readonly rehearsal?: string;
  /** Other sources that the stored certificate may be from. Absent: none. */
  readonly alternatives?: readonly Source[];
  /** Why the order does not go to the preferred issuer. Absent if it does. */
  readonly fallbackReason?: string;
  readonly key: KeyType;
  readonly renewBeforeMs?: number | undefined;
}

/** A CA and a profile that certificates come from. */
export interface Source {
  readonly directory: string;
  readonly profile?: string | undefined;
}

/** What a specification asks for, with the issuer of its next order. `failures`: attempts since the last
 *  success. An order `inFlight` stays at its issuer. `undefined` if the inventory has none of its issuers. */
export function desiredBySpec(
  { issuers }: Pick<Inventory, 'issuers'>,
  spec: CertificateSpec,
  { failures = 0, inFlight }: Progress = {},
): Desired | undefined {
  const allowed = issuersOf(spec, issuers);
  const choice = chooseIssuer(allowed, failures, inFlight);
  return choice && desiredBy(spec, choice, allowed);
}

/** What earlier runs did for the certificate. */
export interface Progress {
  readonly failures?: number | undefined;
  readonly inFlight?: { readonly issuer: string; readonly profile?: string | undefined } | undefined;
}

/** Says that the inventory has none of a specification's issuers. */
export function describeNoIssuer({ name, issuer }: Pick<CertificateSpec, 'name' | 'issuer'>): string {
  return `certificate "${name}" asks for issuer "${issuer}", which the inventory does not have`;
}

/** What a certificate from another source than the file asks for, by its tags alone: the stored version is
 *  what its specification asks for. `undefined` if the issuers of its source have changed: then the
 *  specification must be read. */
export function desiredByTags(
  { key, issuer, profile }: ActualCertificate,
  inventory: Inventory,
  state: CertificateState,
): Desired | undefined {
  const allowed = issuersOfSource(state, inventory);
  const choice = chooseIssuer(allowed, state.failures ?? 0);
  if (!key || !choice) return undefined;
  const isAsked = allowed.some((one) => one.issuer.directory === issuer && one.issuer.profile === profile);
  return isAsked ? desiredBy({ key }, choice, allowed) : undefined;
}

/** What a specification asks for, given the chosen issuer. `issuers`: all that the specification allows. */
export function desiredBy(
  spec: Pick<CertificateSpec, 'key'> & Partial<Pick<CertificateSpec, 'domains' | 'renewBeforeMs'>>,
  choice: IssuerChoice,
  issuers: readonly NamedIssuer[] = [choice],
): Desired {
  const { domains, key, renewBeforeMs } = spec;
  const sourceOf = ({ issuer: { directory, profile } }: NamedIssuer): Source => ({ directory, profile });
  const others = issuers.filter(({ name }) => name !== choice.name).map(sourceOf);
  const preferred = choice.insteadOf?.name;
  const rehearsal = choice.failures > 0 ? choice.issuer.rehearsal : undefined;
  return {
    domains,
    issuer: choice.name,
    ...sourceOf(choice),
    ...(rehearsal === undefined ? {} : { rehearsal }),
    ...(others.length > 0 ? { alternatives: others } : {}),
    ...(preferred === undefined
      ? {}
      : {
          fallbackReason: `from issuer ${choice.name}, because too many attempts at ${preferred} have failed`,
        }),
    key,
    renewBeforeMs,
  };
}

/** Whether a certificate from that directory is one that is asked for. */
export function isFrom(directory: string, desired: Desired): boolean {
  return sourcesOf(desired).some((source) => source.directory === directory);
}

/** All sources that are asked for; the first is that of the next order. */
export function sourcesOf({ directory, profile, alternatives = [] }: Desired): readonly Source[] {
  return [{ directory, profile }, ...alternatives];
}
