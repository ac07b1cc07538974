// Checks that apply to every certificate that is requested from outside the inventory file.
import { withoutWildcard } from '../certificate/names.ts';
import {
  type AllowedRestart,
  type Inventory,
  isSecretTarget,
  type SecretTarget,
} from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { formatPath, type InventoryMistake, type InventoryProblem, topLevel } from './problems.ts';
import { isSameNamespace, nameNamespace, type SourceRules } from './source-rules.ts';

/** Limits of one answer: mistakes, and characters of each path and message. */
const mostProblems = 20;
const longestPath = 120;
const longestMessage = 400;

/** The mistakes as problems with a text path. At most 20; a last problem says how many more there are. */
export function refuse(mistakes: readonly InventoryMistake[]): {
  readonly problems: readonly InventoryProblem[];
} {
  const listed = mistakes.slice(0, mostProblems).map(({ path, message }) => ({
    path: cut(formatPath(path), longestPath),
    message: cut(message, longestMessage),
  }));
  const rest = mistakes.length - listed.length;
  if (rest === 0) return { problems: listed };
  return { problems: [...listed, { path: topLevel, message: `has ${rest} more mistakes` }] };
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** Finds domains outside the zones, and zones themselves and wildcards if the rules forbid those. */
export function findForbiddenNames(
  domains: readonly string[],
  { zones, wildcards, apex }: Pick<SourceRules, 'zones' | 'wildcards' | 'apex'>,
): readonly InventoryMistake[] {
  return domains.flatMap((domain, index) => {
    const plain = withoutWildcard(domain);
    const refuseName = (message: string) => [{ path: ['domains', index], message: `${domain} ${message}` }];
    if (!zones.some((zone) => plain === zone || plain.endsWith(`.${zone}`))) {
      return refuseName(`is not in the allowed zones: ${zones.join(', ')}`);
    }
    if (domain !== plain && !wildcards) return refuseName('is a wildcard, which may not be requested here');
    if (apex || domain !== plain || zones.some((zone) => plain.endsWith(`.${zone}`))) return [];
    return refuseName('is a zone itself; only names below it may be requested here');
  });
}

/** Finds targets in namespaces that the source may not use, and restarts that it may not request there. */
export function findForbiddenTargets(
  targets: readonly Pick<SecretTarget, 'cluster' | 'namespace' | 'restart'>[],
  { namespaceRefs, restarts }: Pick<SourceRules, 'namespaceRefs' | 'restarts'>,
): readonly InventoryMistake[] {
  return targets.flatMap((target, index): readonly InventoryMistake[] => {
    if (!namespaceRefs.some((ref) => isSameNamespace(ref, target))) {
      const { cluster, namespace } = target;
      const allowed = [...new Set(namespaceRefs.map(nameNamespace))].join(', ') || 'none';
      const message = `cluster ${cluster}, namespace ${namespace} may not be requested; allowed: ${allowed}`;
      return [{ path: ['targets', index], message }];
    }
    const allowed = new Set(['none', ...restarts(target).map(nameRestart)]);
    // `needed` restarts a subset of what `auto` restarts.
    if (allowed.has('auto')) allowed.add('needed');
    const requestedRestarts = typeof target.restart === 'string' ? [target.restart] : target.restart;
    const refused = requestedRestarts.map(nameRestart).find((restart) => !allowed.has(restart));
    if (refused === undefined) return [];
    const message = `${refused} may not be requested here; allowed: ${[...allowed].join(', ')}`;
    return [{ path: ['targets', index, 'restart'], message }];
  });
}

function nameRestart(restart: AllowedRestart): string {
  return typeof restart === 'string' ? restart : `${restart.kind}/${restart.name}`;
}

/** Finds Secrets that a certificate of the inventory file writes already,
 *  and Secrets that the request names twice. */
export function findTakenSecrets(spec: StoredSpec, { certificates }: Inventory): readonly InventoryMistake[] {
  const taken = new Map<string, string>();
  for (const { name, targets } of certificates) {
    if (name === spec.name) continue;
    for (const target of targets.filter(isSecretTarget)) taken.set(describe(target), name);
  }
  return spec.targets.filter(isSecretTarget).flatMap((target, index) => {
    const described = describe(target);
    const owner = taken.get(described);
    taken.set(described, spec.name);
    if (owner === undefined) return [];
    const message = `${described} is written by certificate ${owner}; request another secret`;
    return [{ path: ['targets', index], message }];
  });
}

function describe({ cluster, namespace, secret }: SecretTarget): string {
  return `Secret ${namespace}/${secret} in cluster ${cluster}`;
}
