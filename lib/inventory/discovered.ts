// What an object in a cluster asks to be kept, as far as the inventory's `discovery` lets it.
import { hash } from 'node:crypto';
import type { Inventory, SecretTarget } from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { explainIssue, type InventoryProblem, mistakesOf } from './problems.ts';
import { findForbiddenNames, findTakenSecrets, refuse } from './request-checks.ts';
import { registrationBody } from './schema.ts';
import { nameNamespace, namespaceRules } from './source-rules.ts';

/** A Secret that is to hold a certificate for some names. */
export interface RequestedSecret extends Pick<SecretTarget, 'cluster' | 'namespace' | 'secret'> {
  /** As the object has them: not checked. */
  readonly domains: readonly string[];
  /** `none` for what is read by controllers that watch the Secret. */
  readonly restart: 'auto' | 'none';
}

/** The specification of the certificate in such a Secret, or all that is wrong with it: what a registration may not ask for
 *  may not be asked for here either. */
export function parseRequestedSecret(
  asked: RequestedSecret,
  inventory: Inventory,
): { readonly spec: StoredSpec } | { readonly problems: readonly InventoryProblem[] } {
  const { cluster, namespace, secret, domains, restart } = asked;
  const rules = inventory.discovery && namespaceRules(inventory.discovery, asked);
  if (!rules)
    return refuse([{ path: [], message: `discovery does not name the place ${nameNamespace(asked)}` }]);
  const name = nameOfSecret(asked);
  const body = { name, domains, targets: [{ cluster, namespace, secret, restart }] };
  const parsed = registrationBody.safeParse(body, { error: explainIssue });
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

/** A certificate's name made of its Secret's place, so that it stays when the names in it change. Places that would give the
 *  same name are told apart by a hash. */
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
