// What holds for every certificate that is asked for from outside the inventory file, whoever asks.
import { withoutWildcard } from '../certificate/names.ts';
import {
  type AllowedRestart,
  type Inventory,
  isSecretTarget,
  type SecretTarget,
} from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { formatPath, type InventoryMistake, type InventoryProblem } from './problems.ts';
import { isSameNamespace, nameNamespace, type SourceRules } from './source-rules.ts';

/** What one answer tells of mistakes: so many, and so much of each. */
const mostProblems = 20;
const longestPath = 120;
const longestMessage = 400;

/** The findings with their places in the request as text; of very many the first, and how many there are beside them. */
export function refuse(mistakes: readonly InventoryMistake[]): {
  readonly problems: readonly InventoryProblem[];
} {
  const told = mistakes.slice(0, mostProblems).map(({ path, message }) => ({
    path: cut(formatPath(path), longestPath),
    message: cut(message, longestMessage),
  }));
  const rest = mistakes.length - told.length;
  if (rest === 0) return { problems: told };
  return { problems: [...told, { path: 'the whole', message: `has ${rest} more mistakes` }] };
}

function cut(text: string, longest: number): string {
  return text.length > longest ? `${text.slice(0, longest)}…` : text;
}

/** Domains that are neither one of the zones nor below one, zones themselves and wildcards where those may not be asked for. */
export function findForbiddenNames(
  domains: readonly string[],
  { zones, wildcards, apex }: Pick<SourceRules, 'zones' | 'wildcards' | 'apex'>,
): readonly InventoryMistake[] {
  return domains.flatMap((domain, index) => {
    const plain = withoutWildcard(domain);
    const refuseName = (message: string) => [{ path: ['domains', index], message: `${domain} ${message}` }];
    if (!zones.some((zone) => plain === zone || plain.endsWith(`.${zone}`))) {
      return refuseName(`is not in ${zones.join(', ')}`);
    }
    if (domain !== plain && !wildcards) return refuseName('is a wildcard, and none may be asked for here');
    if (apex || domain !== plain || zones.some((zone) => plain.endsWith(`.${zone}`))) return [];
    return refuseName('is a zone itself, and only names below it may be asked for here');
  });
}

/** Targets in namespaces that the source may not ask for, and restarts that it may not ask for there. */
export function findForbiddenTargets(
  targets: readonly Pick<SecretTarget, 'cluster' | 'namespace' | 'restart'>[],
  { namespaceRefs: places, restarts }: Pick<SourceRules, 'namespaceRefs' | 'restarts'>,
): readonly InventoryMistake[] {
  return targets.flatMap((target, index): readonly InventoryMistake[] => {
    if (!places.some((place) => isSameNamespace(place, target))) {
      const { cluster, namespace } = target;
      const allowed = [...new Set(places.map(nameNamespace))].join(', ') || 'none';
      const message = `cluster ${cluster}, namespace ${namespace} may not be asked for; allowed: ${allowed}`;
      return [{ path: ['targets', index], message }];
    }
    const allowed = new Set(['none', ...restarts(target).map(nameRestart)]);
    // Those that do not see new values by themselves are some of those that `auto` restarts.
    if (allowed.has('auto')) allowed.add('needed');
    const asked = typeof target.restart === 'string' ? [target.restart] : target.restart;
    const refused = asked.map(nameRestart).find((one) => !allowed.has(one));
    if (refused === undefined) return [];
    const message = `${refused} may not be asked for here; allowed: ${[...allowed].join(', ')}`;
    return [{ path: ['targets', index, 'restart'], message }];
  });
}

function nameRestart(restart: AllowedRestart): string {
  return typeof restart === 'string' ? restart : `${restart.kind}/${restart.name}`;
}

/** Secrets that a certificate of the inventory file writes already, and repeats in the request itself. */
export function findTakenSecrets(spec: StoredSpec, { certificates }: Inventory): readonly InventoryMistake[] {
  const taken = new Map<string, string>();
  for (const { name, targets } of certificates) {
    if (name === spec.name) continue;
    for (const target of targets.filter(isSecretTarget)) taken.set(describe(target), name);
  }
  return spec.targets.filter(isSecretTarget).flatMap((target, index) => {
    const place = describe(target);
    const owner = taken.get(place);
    taken.set(place, spec.name);
    if (owner === undefined) return [];
    const message = `${place} is written by certificate ${owner}; ask for another secret`;
    return [{ path: ['targets', index], message }];
  });
}

function describe({ cluster, namespace, secret }: SecretTarget): string {
  return `Secret ${namespace}/${secret} in cluster ${cluster}`;
}
