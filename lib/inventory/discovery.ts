// Turns what an object requests into a certificate's specification, within the rules of `discovery`.
import { hash } from 'node:crypto';
import type { Inventory, SecretTarget } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { type InventoryProblem, mistakesOf, parseManner } from './problems.ts';
import { findForbiddenNames, findTakenSecrets, refuse } from './request-checks.ts';
import { registrationBody } from './schema.ts';
import { nameNamespace, namespaceRules } from './source-rules.ts';

/** A certificate that an Ingress or Gateway requests: its names, and the Secret to put it into. */
export interface RequestedSecret extends Pick<SecretTarget, 'cluster' | 'namespace' | 'secret'> {
  /** As written in the object, not validated. */
  readonly domains: readonly string[];
  /** `none` if a controller watches the Secret, so that no workload needs a restart. */
  readonly restart: 'auto' | 'none';
}

/** The specification of the requested certificate, or all its mistakes. The rules for a registration's fields
 *  apply here too. */
export function parseRequestedSecret(
  requested: RequestedSecret,
  inventory: Inventory,
): { readonly spec: StoredSpec } | { readonly problems: readonly InventoryProblem[] } {
  const { cluster, namespace, secret, domains, restart } = requested;
  const rules = inventory.discovery && namespaceRules(inventory.discovery, requested);
  if (!rules)
    return refuse([{ path: [], message: `discovery.places does not list ${nameNamespace(requested)}` }]);
  const name = nameOfSecret(requested);
  const body = { name, domains, targets: [{ cluster, namespace, secret, restart }] };
  const parsed = registrationBody.safeParse(body, parseManner);
  if (!parsed.success) return refuse(mistakesOf(parsed.error.issues));

  const { issuer, fallbackIssuers, key } = rules;
  const adopt = inventory.discovery?.adopt ?? false;
  const spec: StoredSpec = {
    name,
    domains: parsed.data.domains,
    issuer,
    ...(fallbackIssuers ? { fallbackIssuers } : {}),
    key,
    targets: (parsed.data.targets ?? []).map((target) => ({ ...target, restart, adopt, replace: false })),
    source: 'discovery',
  };
  const mistakes = [...findForbiddenNames(spec.domains, rules), ...findTakenSecrets(spec, inventory)];
  return mistakes.length > 0 ? refuse(mistakes) : { spec };
}

/** The certificate's name, from cluster, namespace and Secret: it stays the same when the requested names
 *  change. At most 63 characters; the last 8 are a hash, so that two Secrets never get the same name. */
export function nameOfSecret({
  cluster,
  namespace,
  secret,
}: Pick<SecretTarget, 'cluster' | 'namespace' | 'secret'>): string {
  const text = `${cluster}-${namespace}-${secret}`.toLowerCase().replace(/[._]/g, '-');
  const plain = text.slice(0, maxNameLength - 9).replace(/(?<!-)-+$/, '');
  return `${plain}-${hash('sha256', `${cluster}/${namespace}/${secret}`).slice(0, 8)}`;
}

const maxNameLength = 63;
