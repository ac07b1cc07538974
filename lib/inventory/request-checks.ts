// What holds for every certificate that is asked for from outside the inventory file, whoever asks.
import { withoutWildcard } from '../certificate/names.ts';
import { type Inventory, isSecretTarget, type SecretTarget } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { type Finding, formatPath, type InventoryProblem } from './problems.ts';
import type { SourceRules } from './source-rules.ts';

/** The findings with their places in the request as text. */
export function refuse(findings: readonly Finding[]): { readonly problems: readonly InventoryProblem[] } {
  return { problems: findings.map(({ path, message }) => ({ path: formatPath(path), message })) };
}

/** Domains that are neither one of the zones nor below one, zones themselves and wildcards where those may not be asked for. */
export function findForbiddenNames(
  domains: readonly string[],
  { zones, wildcards, apex }: Pick<SourceRules, 'zones' | 'wildcards' | 'apex'>,
): readonly Finding[] {
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

/** Secrets that a certificate of the inventory file writes already, and repeats in the request itself. */
export function findTakenSecrets(spec: StoredSpec, { certificates }: Inventory): readonly Finding[] {
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
