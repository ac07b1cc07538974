// What a specification asks for, once it is known which of its issuers an order goes to.
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

/** What the specification asks for. */
export interface Desired {
  /** Absent: those of the stored certificate, where the specification travels with it and is not read. */
  readonly domains?: readonly string[] | undefined;
  /** Key of `Inventory.issuers`, its directory URL and its profile: where an order goes to now. Chosen once: whoever
   *  orders, rehearses or judges what came of it takes it from here. */
  readonly issuer: string;
  readonly directory: string;
  readonly profile?: string | undefined;
  /** The issuer at which the order is rehearsed first: that issuer names one, and an attempt at it has failed. */
  readonly rehearsal?: string;
  /** Where else the certificate may have come from; absent: nowhere. */
  readonly alternatives?: readonly Source[];
  /** Why the order does not go to the issuer that is preferred; absent where it does. */
  readonly fallbackReason?: string;
  readonly key: KeyType;
  readonly renewBeforeMs?: number | undefined;
}

/** Where certificates come from. */
export interface Source {
  readonly directory: string;
  readonly profile?: string | undefined;
}

/** What a specification asks for, with the issuer of its next order. `failures`: attempts since the last success. An order
 *  `inFlight` stays at its issuer. `undefined` if the inventory has none of its issuers. */
export function desiredBySpec(
  { issuers }: Pick<Inventory, 'issuers'>,
  spec: CertificateSpec,
  { failures = 0, inFlight }: Progress = {},
): Desired | undefined {
  const allowed = issuersOf(spec, issuers);
  const choice = chooseIssuer(allowed, failures, inFlight);
  return choice && desiredBy(spec, choice, allowed);
}

/** How far earlier runs came. */
export interface Progress {
  readonly failures?: number | undefined;
  readonly inFlight?: { readonly issuer: string; readonly profile?: string | undefined } | undefined;
}

/** Says that the inventory has none of a specification's issuers. */
export function describeNoIssuer({ name, issuer }: Pick<CertificateSpec, 'name' | 'issuer'>): string {
  return `certificate "${name}" asks for issuer "${issuer}", which the inventory does not have`;
}

/** The same by tags alone. A specification that is not the file's travels with its certificate, so the stored version is what
 *  it asks for. `undefined` if the issuers of its source are others by now: then the specification must be read. */
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

/** What a specification asks for of the issuer chosen now; `issuers` are all that it allows. */
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

/** Whether a certificate from that directory is one of those asked for. */
export function isFrom(directory: string, desired: Desired): boolean {
  return sourcesOf(desired).some((source) => source.directory === directory);
}

/** The source of an order first. */
export function sourcesOf({ directory, profile, alternatives = [] }: Desired): readonly Source[] {
  return [{ directory, profile }, ...alternatives];
}
