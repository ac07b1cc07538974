// What a specification asks for, once it is known which of its issuers an order goes to.
import type { CertificateSpec, KeyType } from '../../certificate/spec.ts';
import type { IssuerChoice, NamedIssuer } from './issuer-choice.ts';

/** What the specification asks for. */
export interface Wanted {
  /** Absent: those of the stored certificate, where the specification travels with it and is not read. */
  readonly domains?: readonly string[] | undefined;
  /** Key of `Inventory.issuers`, its directory URL and its profile: where an order goes to now. */
  readonly issuer: string;
  readonly directory: string;
  readonly profile?: string | undefined;
  /** Where else the certificate may have come from; absent: nowhere. */
  readonly alternatives?: readonly Source[];
  /** Why the order does not go to the issuer that is preferred; absent where it does. */
  readonly detour?: string;
  readonly key: KeyType;
  readonly renewBeforeMs?: number | undefined;
}

/** Where certificates come from. */
export interface Source {
  readonly directory: string;
  readonly profile?: string | undefined;
}

/** What a specification asks for of the issuer chosen now; `issuers` are all that it allows. */
export function wantedBy(
  spec: Pick<CertificateSpec, 'key'> & Partial<Pick<CertificateSpec, 'domains' | 'renewBeforeMs'>>,
  choice: IssuerChoice,
  issuers: readonly NamedIssuer[] = [choice],
): Wanted {
  const { domains, key, renewBeforeMs } = spec;
  const sourceOf = ({ issuer: { directory, profile } }: NamedIssuer): Source => ({ directory, profile });
  const others = issuers.filter(({ name }) => name !== choice.name).map(sourceOf);
  const preferred = choice.insteadOf?.name;
  return {
    domains,
    issuer: choice.name,
    ...sourceOf(choice),
    ...(others.length > 0 ? { alternatives: others } : {}),
    ...(preferred === undefined
      ? {}
      : { detour: `from issuer ${choice.name}, because too many attempts at ${preferred} have failed` }),
    key,
    renewBeforeMs,
  };
}

/** Whether a certificate from that directory is one of those asked for. */
export function isFrom(directory: string, wanted: Wanted): boolean {
  return sourcesOf(wanted).some((source) => source.directory === directory);
}

/** The source of an order first. */
export function sourcesOf({ directory, profile, alternatives = [] }: Wanted): readonly Source[] {
  return [{ directory, profile }, ...alternatives];
}
