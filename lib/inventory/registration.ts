// Turns a registration request into a certificate's specification, within the rules of `registration`.
import { hash } from 'node:crypto';
import { withoutWildcard } from '../certificate/names.ts';
import {
  type AllowedRestart,
  type Inventory,
  isSecretTarget,
  type RegistrationSpec,
  type SecretTarget,
  type TargetSpec,
} from '../certificate/spec.ts';
import type { StoredSpec } from '../certificate/stored.ts';
import { type InventoryProblem, mistakesOf, parseManner } from './problems.ts';
import { findForbiddenNames, findForbiddenTargets, findTakenSecrets, refuse } from './request-checks.ts';
import { registrationBody } from './schema.ts';
import { isSameNamespace, type NamespaceRef, webhookRules } from './source-rules.ts';

/** The specification of the certificate that a request body `{domains, name?, targets?}` describes, or all
 *  its mistakes. Domains must be in the zones of `registration`. Targets must be in a namespace of its
 *  `targets`; they get `adopt` and `replace` only for a Secret that those name. Without `registration` every
 *  request is refused. */
export function parseRegistration(
  body: unknown,
  inventory: Inventory,
): { readonly spec: StoredSpec } | { readonly problems: readonly InventoryProblem[] } {
  const { registration } = inventory;
  if (registration === undefined)
    return refuse([
      { path: [], message: 'the inventory has no registration section, so it accepts no requests' },
    ]);
  const parsed = registrationBody.safeParse(withoutNulls(body), parseManner);
  if (!parsed.success) return refuse(mistakesOf(parsed.error.issues));

  const { domains, name = nameAfter(domains[0] ?? ''), targets } = parsed.data;
  const rules = webhookRules(registration);
  const forbiddenNames = findForbiddenNames(domains, rules);
  const requestedTargets = targets?.map((target) => ({
    ...target,
    ...operatorFields(target, name, registration),
    restart: target.restart ?? defaultRestart(rules.restarts(target)),
  }));
  const forbiddenTargets = findForbiddenTargets(requestedTargets ?? [], rules);
  const spec: StoredSpec = {
    name,
    domains,
    issuer: registration.issuer,
    ...(registration.fallbackIssuers ? { fallbackIssuers: registration.fallbackIssuers } : {}),
    key: registration.key,
    targets: fillTargets(requestedTargets ?? registration.targets, name),
    source: 'registration',
  };
  const mistakes = [...forbiddenNames, ...forbiddenTargets, ...findTakenSecrets(spec, inventory)];
  return mistakes.length > 0 ? refuse(mistakes) : { spec };
}

/** The certificate's name, from its first domain with hyphens for dots. If two domains could give that name,
 *  or if it is over 63 characters, it ends with 8 characters of a hash. */
export function nameAfter(domain: string): string {
  const isWildcard = domain.startsWith('*.');
  const plain = withoutWildcard(domain);
  const name = `${isWildcard ? 'wildcard-' : ''}${plain.replaceAll('.', '-')}`;
  const isAmbiguous = plain.includes('-') || (!isWildcard && plain.startsWith('wildcard.'));
  if (!isAmbiguous && name.length <= maxNameLength) return name;
  return `${name.slice(0, maxNameLength - 9).replace(/(?<!-)-+$/, '')}-${hash('sha256', domain).slice(0, 8)}`;
}

const maxNameLength = 63;

/** The fields of a target that only the inventory can set: `rollout`, `adopt` and `replace`. The last two
 *  only for the Secret that the inventory itself names, never for another Secret that the request names. */
function operatorFields(
  requested: NamespaceRef & Pick<SecretTarget, 'secret'>,
  name: string,
  { targets }: RegistrationSpec,
): Pick<SecretTarget, 'adopt' | 'replace' | 'rollout'> {
  const near = targets.filter(isSecretTarget).filter((allowed) => isSameNamespace(allowed, requested));
  const own = near.find((allowed) => fillIn(allowed, name) === fillIn(requested, name));
  const { rollout } = own ?? near[0] ?? {};
  return { adopt: own?.adopt ?? false, replace: own?.replace ?? false, ...(rollout ? { rollout } : {}) };
}

/** The targets with the certificate's name for `{name}`. */
export function fillTargets(targets: readonly TargetSpec[], name: string): readonly TargetSpec[] {
  return targets.map((target) => ('acm' in target ? target : { ...target, secret: fillIn(target, name) }));
}

function fillIn({ secret }: Pick<SecretTarget, 'secret'>, name: string): string {
  return secret.replaceAll('{name}', name);
}

/** The restart of a requested target that names none. */
function defaultRestart(allowed: readonly AllowedRestart[]): 'auto' | 'needed' | 'none' {
  const words = allowed.filter((restart) => typeof restart === 'string');
  return words.includes('auto') ? 'auto' : (words[0] ?? 'none');
}

/** The body without fields that are null, in the request itself and in its targets. */
function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const present = Object.entries(body).filter(([, value]) => value !== null);
  return Object.fromEntries(
    present.map(([key, value]) => [
      key,
      key === 'targets' && Array.isArray(value) ? value.map(withoutNulls) : value,
    ]),
  );
}
