// What somebody outside asks to be kept, as far as the inventory's `registration` lets them.
import { hash } from 'node:crypto';
import { registrationBody } from './inventory-schema.ts';
import { withoutWildcard } from './names.ts';
import { explainIssue, type Finding, findingsOf, formatPath, type InventoryProblem } from './problems.ts';
import type { Inventory, RegistrationSpec, TargetSpec } from './spec.ts';
import type { StoredSpec } from './stored.ts';

/** The specification that a request body `{domains, name?, targets?}` asks for, or all of its mistakes at once. Domains must be
 *  in the inventory's zones; targets, where there are any, in a namespace that the inventory's own registration targets
 *  use. An inventory without `registration` refuses everything. */
export function parseRegistration(
  body: unknown,
  inventory: Inventory,
): { readonly spec: StoredSpec } | { readonly problems: readonly InventoryProblem[] } {
  const { registration } = inventory;
  if (registration === undefined)
    return refuse([{ path: [], message: 'the inventory allows no registration' }]);
  const parsed = registrationBody.safeParse(body, { error: explainIssue });
  if (!parsed.success) return refuse(findingsOf(parsed.error.issues));

  const { domains, name = nameAfter(domains[0] ?? ''), targets } = parsed.data;
  const outside = findOutsideZones(domains, registration);
  const asked = targets?.map((target) => ({ target, allowed: placeOf(target, registration) }));
  const misplaced = (asked ?? []).flatMap(({ target, allowed }, index) =>
    allowed === undefined ? [misplacedTarget(target, index, registration)] : [],
  );
  const chosen = asked?.map(({ target, allowed }) => ({
    ...target,
    adopt: allowed?.adopt ?? false,
    replace: allowed?.replace ?? false,
  }));
  const spec: StoredSpec = {
    name,
    domains,
    issuer: registration.issuer,
    key: registration.key,
    targets: (chosen ?? registration.targets).map((target) => ({
      ...target,
      secret: target.secret.replaceAll('{name}', name),
    })),
    source: 'registration',
  };
  const findings = [...outside, ...misplaced, ...findTakenSecrets(spec, inventory)];
  return findings.length > 0 ? refuse(findings) : { spec };
}

/** A certificate's name made of its first domain: the dots become hyphens. Where that could be said of two domains, or is
 *  too long, the start of a hash of the domain follows. */
export function nameAfter(domain: string): string {
  const isWildcard = domain.startsWith('*.');
  const plain = withoutWildcard(domain);
  const name = `${isWildcard ? 'wildcard-' : ''}${plain.replaceAll('.', '-')}`;
  const isAmbiguous = plain.includes('-') || (!isWildcard && plain.startsWith('wildcard.'));
  if (!isAmbiguous && name.length <= maxNameLength) return name;
  return `${name.slice(0, maxNameLength - 9).replace(/-+$/, '')}-${hash('sha256', domain).slice(0, 8)}`;
}

const maxNameLength = 63;

function refuse(findings: readonly Finding[]): { readonly problems: readonly InventoryProblem[] } {
  return { problems: findings.map(({ path, message }) => ({ path: formatPath(path), message })) };
}

function findOutsideZones(domains: readonly string[], { zones }: RegistrationSpec): readonly Finding[] {
  return domains.flatMap((domain, index) => {
    const plain = withoutWildcard(domain);
    if (zones.some((zone) => plain === zone || plain.endsWith(`.${zone}`))) return [];
    return [{ path: ['domains', index], message: `${domain} is not in ${zones.join(', ')}` }];
  });
}

type Place = Pick<TargetSpec, 'cluster' | 'namespace'>;

function placeOf({ cluster, namespace }: Place, { targets }: RegistrationSpec): TargetSpec | undefined {
  return targets.find((target) => target.cluster === cluster && target.namespace === namespace);
}

function misplacedTarget(
  { cluster, namespace }: Place,
  index: number,
  { targets }: RegistrationSpec,
): Finding {
  const allowed = targets.map((target) => `${target.cluster}/${target.namespace}`).join(', ') || 'none';
  const message = `cluster ${cluster}, namespace ${namespace} may not be asked for; allowed: ${allowed}`;
  return { path: ['targets', index], message };
}

/** Secrets that a certificate of the inventory file writes already, and repeats in the request itself. */
function findTakenSecrets(spec: StoredSpec, { certificates }: Inventory): readonly Finding[] {
  const taken = new Map<string, string>();
  for (const { name, targets } of certificates) {
    if (name !== spec.name) for (const target of targets) taken.set(describe(target), name);
  }
  return spec.targets.flatMap((target, index) => {
    const place = describe(target);
    const owner = taken.get(place);
    taken.set(place, spec.name);
    if (owner === undefined) return [];
    return [
      {
        path: ['targets', index],
        message: `${place} is written by certificate ${owner}; ask for another secret`,
      },
    ];
  });
}

function describe({ cluster, namespace, secret }: TargetSpec): string {
  return `Secret ${namespace}/${secret} in cluster ${cluster}`;
}
