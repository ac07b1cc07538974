// Chooses the issuer of a certificate's next order: the preferred one, until it has failed so often that the
// next one is tried.
import type { CertificateSpec, Inventory, IssuerSpec } from '../../certificate/spec.ts';
import { isSameNamespace, namespaceRules } from '../../inventory/source-rules.ts';
import type { CertificateState } from '../../state/state.ts';

/** Failures in a row at one issuer after which the next one is tried. The default of `attempts`. */
export const defaultAttempts = 3;

/** An issuer of the inventory, with its name. */
export interface NamedIssuer {
  /** Key of `Inventory.issuers`. */
  readonly name: string;
  readonly issuer: IssuerSpec;
}

/** The issuer of the next order. */
export interface IssuerChoice extends NamedIssuer {
  /** Failed attempts at this issuer since the last success. */
  readonly failures: number;
  /** The preferred issuer. Absent if this is it. */
  readonly insteadOf?: NamedIssuer;
}

/** The issuers that may issue for a specification, the preferred one first. Without those that the
 *  inventory does not have; a specification without any is refused. */
export function issuersOf(
  {
    issuer,
    fallbackIssuers = [],
  }: Pick<CertificateSpec, 'issuer'> & { readonly fallbackIssuers?: readonly string[] | undefined },
  issuers: Readonly<Record<string, IssuerSpec>>,
): readonly NamedIssuer[] {
  return [issuer, ...fallbackIssuers].flatMap((name) => {
    const found = Object.hasOwn(issuers, name) ? issuers[name] : undefined;
    return found ? [{ name, issuer: found }] : [];
  });
}

/** The issuers of a registered or discovered certificate, by its tags. Empty if only its specification
 *  knows them. */
export function issuersOfSource(
  { source, place }: Pick<CertificateState, 'source' | 'place'>,
  { issuers, registration, discovery }: Inventory,
): readonly NamedIssuer[] {
  if (source === 'registration') return registration ? issuersOf(registration, issuers) : [];
  if (source !== 'discovery' || !discovery) return [];
  const isShared = !discovery.places.some(({ tenant }) => tenant?.issuer !== undefined);
  if (isShared) return issuersOf(discovery, issuers);
  const own = discovery.places.find((one) => place !== undefined && isSameNamespace(one, place));
  const rules = own && namespaceRules(discovery, own);
  return rules ? issuersOf(rules, issuers) : [];
}

/** Tries one issuer after another, and begins with the first again after the last. `failures`: attempts
 *  since the last success, at any issuer. An order in flight stays at its issuer. `undefined` without
 *  issuers. */
export function chooseIssuer(
  issuers: readonly NamedIssuer[],
  failures: number,
  inFlight?: { readonly issuer: string; readonly profile?: string | undefined },
): IssuerChoice | undefined {
  const attempts = ({ issuer }: NamedIssuer) => issuer.attempts ?? defaultAttempts;
  const round = issuers.reduce((sum, one) => sum + attempts(one), 0);
  const rounds = Math.floor(failures / round);
  let rest = failures % round;
  const turns = issuers.map((one) => {
    const ofThisRound = Math.min(rest, attempts(one));
    rest -= ofThisRound;
    return {
      name: one.name,
      issuer: one.issuer,
      failures: rounds * attempts(one) + ofThisRound,
      isOver: ofThisRound === attempts(one),
    };
  });
  const isBusy = ({ issuer }: NamedIssuer) =>
    issuer.directory === inFlight?.issuer && issuer.profile === inFlight.profile;
  const turn = turns.find(isBusy) ?? turns.find(({ isOver }) => !isOver);
  const [preferred] = issuers;
  if (!turn || !preferred) return undefined;
  const { isOver: _, ...choice } = turn;
  return choice.name === preferred.name ? choice : { ...choice, insteadOf: preferred };
}
