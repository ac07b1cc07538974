// Finds what today's rules do not allow of one stored specification, each with the inventory line that allows
// it.
import { withoutWildcard } from '../../certificate/names.ts';
import {
  type AllowedRestart,
  type Inventory,
  isSecretTarget,
  type TargetSpec,
} from '../../certificate/spec.ts';
import type { StoredSpec } from '../../certificate/stored.ts';
import { findForbiddenNames, findForbiddenTargets } from '../../inventory/request-checks.ts';
import {
  isSameNamespace,
  type NamespaceRef,
  nameNamespace,
  type SourceRules,
} from '../../inventory/source-rules.ts';

/** One thing in a stored specification that today's inventory does not allow. */
export interface Misfit {
  /** What is wrong, as a clause without a full stop. */
  readonly message: string;
  /** The line of YAML that allows it, and the path in the inventory to add it to; absent if no line allows
   *  it. */
  readonly addition?: { readonly to: string; readonly line: string } | undefined;
}

/** What is wrong and what to do, in one line of at most some 1,200 characters. */
export function describeMisfit({ message, addition }: Misfit): string {
  const what = cut(message, longestMessage);
  return addition ? `${what}; to allow it, add "${cut(addition.line, longestLine)}" to ${addition.to}` : what;
}

/** An inventory may have many zones and names. */
const longestMessage = 300;
const longestLine = 800;

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** `SourceRules.source` of the webhook; other sources are namespaces. */
const webhook = 'the webhook';

/** Misfit for a section of the inventory, or a place of `discovery`, that no longer exists. The line has
 *  everything that the specification needs. */
export function describeGone(
  { source, domains, targets }: Pick<StoredSpec, 'source' | 'domains' | 'targets'>,
  { discovery }: Inventory,
): Misfit {
  const zones = [...new Set(domains.map(withoutWildcard))].join(', ');
  if (source === 'registration') {
    const places = [...new Set(targets.map(writeTarget))].join(', ');
    const line = `registration: { zones: [${zones}]${places === '' ? '' : `, targets: [${places}]`} }`;
    return {
      message: 'the inventory has no section "registration"',
      addition: { to: 'the inventory', line },
    };
  }
  const [first] = targets.filter(isSecretTarget);
  const place = first ? nameNamespace(first) : 'cluster/namespace';
  if (!discovery) {
    const line = `discovery: { places: [${place}], zones: [${zones}] }`;
    return { message: 'the inventory has no section "discovery"', addition: { to: 'the inventory', line } };
  }
  const message = `discovery does not name the place ${first ? place : 'in which it was found'}`;
  return { message, addition: { to: 'discovery.places', line: `- ${place}` } };
}

/** Names that the rules do not allow.
 *  @param place Namespace of `discovery`; absent for the webhook. */
export function findNames(
  domains: readonly string[],
  rules: SourceRules,
  place: NamespaceRef | undefined,
  { discovery }: Inventory,
): readonly Misfit[] {
  const index =
    discovery?.places.findIndex((scope) => place !== undefined && isSameNamespace(scope, place)) ?? -1;
  const isWebhook = rules.source === webhook;
  const hasOwnZones = discovery?.places[index]?.tenant?.zones !== undefined;
  const ownPlace = `discovery.places[${index}]`;
  const zones = isWebhook ? 'registration.zones' : hasOwnZones ? `${ownPlace}.zones` : 'discovery.zones';
  return findForbiddenNames(domains, rules).flatMap(({ path, message }): readonly Misfit[] => {
    const domain = domains[Number(path[1])] ?? '';
    const plain = withoutWildcard(domain);
    const isOutside = !rules.zones.some((zone) => plain === zone || plain.endsWith(`.${zone}`));
    return [
      ...(isOutside ? [{ to: zones, line: `- ${plain}` }] : []),
      ...(domain !== plain && !rules.wildcards ? [{ to: ownPlace, line: 'wildcards: true' }] : []),
      ...(domain === plain && !rules.apex ? [{ to: ownPlace, line: 'apex: true' }] : []),
    ].map((addition) => ({ message, addition }));
  });
}

/** Targets that the rules do not allow, and restarts of targets. */
export function findTargets(
  targets: readonly TargetSpec[],
  rules: SourceRules,
  { registration }: Inventory,
): readonly Misfit[] {
  const isWebhook = rules.source === webhook;
  const own = targets.filter(isSecretTarget);
  // A sender that names no target gets the inventory's own targets, with their restarts.
  const restarts = (place: NamespaceRef) => [...rules.restarts(place), ...rules.ownRestarts(place)];
  const forbidden = findForbiddenTargets(own, { ...rules, restarts }).map(({ path, message }): Misfit => {
    const target = own[Number(path[1])];
    if (!isWebhook || !target) return { message };
    if (path[2] !== 'restart') {
      return { message, addition: { to: 'registration.targets', line: `- ${writeTarget(target)}` } };
    }
    const requested = typeof target.restart === 'string' ? [target.restart] : target.restart;
    const words = [...(registration?.restarts ?? ['auto']), ...requested].map(writeRestart);
    const line = `restarts: [${[...new Set(words)].join(', ')}]`;
    return { message, addition: { to: 'registration', line } };
  });
  const places = isWebhook ? (registration?.targets ?? []).map(writeTarget) : [];
  const imported = targets
    .filter((target) => !isSecretTarget(target))
    .map(writeTarget)
    .filter((line) => !places.includes(line))
    .map((line): Misfit => {
      const message = `the target ${line} may not be asked for`;
      return isWebhook
        ? { message, addition: { to: 'registration.targets', line: `- ${line}` } }
        : { message };
    });
  return [...forbidden, ...imported];
}

/** Namespaces of its targets in which certificates of its issuer must not be used
 *  (`issuers.<name>.onlyFor`). */
export function findIssuer(
  { issuer = '', targets }: { readonly issuer?: string; readonly targets: StoredSpec['targets'] },
  { issuers }: Inventory,
): readonly Misfit[] {
  const onlyFor = Object.hasOwn(issuers, issuer) ? issuers[issuer]?.onlyFor : undefined;
  if (onlyFor === undefined) return [];
  const places = targets.filter(isSecretTarget).filter(({ cluster, namespace }) => {
    return !onlyFor.some((allowed) => allowed === cluster || allowed === `${cluster}/${namespace}`);
  });
  return [...new Set(places.map(nameNamespace))].map((place) => ({
    message: `it goes to ${place}, where issuer "${issuer}" may not be used`,
    addition: { to: `issuers.${issuer}.onlyFor`, line: `- ${place}` },
  }));
}

function writeTarget(target: TargetSpec): string {
  if (isSecretTarget(target)) return `{ cluster: ${target.cluster}, namespace: ${target.namespace} }`;
  const { region, arn } = target.acm;
  return `{ acm: { region: ${region}${arn === undefined ? '' : `, arn: "${arn}"`} } }`;
}

function writeRestart(restart: AllowedRestart): string {
  return typeof restart === 'string' ? restart : `${restart.kind}/${restart.name}`;
}
