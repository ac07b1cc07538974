// What one stored specification has that today's rules would not accept, each with the line that would allow it.
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

/** One thing that a stored specification has and today's inventory would not accept. */
export interface Misfit {
  /** What is wrong, without an end. */
  readonly message: string;
  /** The line of YAML that allows it, and the place in the inventory that it is added to; absent: no line can. */
  readonly addition?: { readonly to: string; readonly line: string } | undefined;
}

/** What is wrong and what to do about it, in one line of bounded length. */
export function describeMisfit({ message, addition }: Misfit): string {
  const what = cut(message, longestMessage);
  return addition ? `${what}; to allow it, add "${cut(addition.line, longestLine)}" to ${addition.to}` : what;
}

/** Zones and names of an inventory may be many. */
const longestMessage = 300;
const longestLine = 800;

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** What the rules call the one source that is no place. */
const webhook = 'the webhook';

/** A section or a place that is gone. The line has all that the specification needs, as far as that is known here. */
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

/** Names that the rules do not allow. @param place Of discovery; absent for the webhook. */
export function findNames(
  domains: readonly string[],
  rules: SourceRules,
  place: NamespaceRef | undefined,
  { discovery }: Inventory,
): readonly Misfit[] {
  const index =
    discovery?.places.findIndex((one) => place !== undefined && isSameNamespace(one, place)) ?? -1;
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

/** Targets, and their restarts, that the rules do not allow. */
export function findTargets(
  targets: readonly TargetSpec[],
  rules: SourceRules,
  { registration }: Inventory,
): readonly Misfit[] {
  const isWebhook = rules.source === webhook;
  const own = targets.filter(isSecretTarget);
  // Whoever names no target gets the operator's own, with what they restart.
  const restarts = (place: NamespaceRef) => [...rules.restarts(place), ...rules.ownRestarts(place)];
  const forbidden = findForbiddenTargets(own, { ...rules, restarts }).map(({ path, message }): Misfit => {
    const target = own[Number(path[1])];
    if (!isWebhook || !target) return { message };
    if (path[2] !== 'restart') {
      return { message, addition: { to: 'registration.targets', line: `- ${writeTarget(target)}` } };
    }
    const asked = typeof target.restart === 'string' ? [target.restart] : target.restart;
    const words = [...(registration?.restarts ?? ['auto']), ...asked].map(writeRestart);
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

/** Places where certificates of its issuer may not be. */
export function findIssuer(
  { issuer = '', targets }: { readonly issuer?: string; readonly targets: StoredSpec['targets'] },
  { issuers }: Inventory,
): readonly Misfit[] {
  const onlyFor = Object.hasOwn(issuers, issuer) ? issuers[issuer]?.onlyFor : undefined;
  if (onlyFor === undefined) return [];
  const places = targets.filter(isSecretTarget).filter(({ cluster, namespace }) => {
    return !onlyFor.some((one) => one === cluster || one === `${cluster}/${namespace}`);
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
