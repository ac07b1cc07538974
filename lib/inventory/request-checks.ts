// What holds for every certificate that is asked for from outside the inventory file, whoever asks.
import { withoutWildcard } from '../certificate/names.ts';
import { type Inventory, isSecretTarget, type SecretTarget } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { type Finding, formatPath, type InventoryProblem } from './problems.ts';

/** The findings with their places in the request as text. */
export function refuse(findings: readonly Finding[]): { readonly problems: readonly InventoryProblem[] } {
  return { problems: findings.map(({ path, message }) => ({ path: formatPath(path), message })) };
}

/** Domains that are neither one of the zones nor below one. */
export function findOutsideZones(domains: readonly string[], zones: readonly string[]): readonly Finding[] {
  return domains.flatMap((domain, index) => {
    const plain = withoutWildcard(domain);
    if (zones.some((zone) => plain === zone || plain.endsWith(`.${zone}`))) return [];
    return [{ path: ['domains', index], message: `${domain} is not in ${zones.join(', ')}` }];
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
