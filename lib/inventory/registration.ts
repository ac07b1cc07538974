// What somebody outside asks to be kept, as far as the inventory's `registration` lets them.
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
import { explainIssue, type InventoryProblem, mistakesOf } from './problems.ts';
import { findForbiddenNames, findForbiddenTargets, findTakenSecrets, refuse } from './request-checks.ts';
import { registrationBody } from './schema.ts';
import { isSameNamespace, type NamespaceRef, webhookRules } from './source-rules.ts';

/** The specification that a request body `{domains, name?, targets?}` asks for, or all of its mistakes at once. Domains must be
 *  in the inventory's zones; targets, where there are any, in a namespace that the inventory's own registration targets
 *  use; `adopt` and `replace` hold only for a Secret that those name. An inventory without `registration` refuses everything. */
export function parseRegistration(
  body: unknown,
  inventory: Inventory,
): { readonly spec: StoredSpec } | { readonly problems: readonly InventoryProblem[] } {
  const { registration } = inventory;
  if (registration === undefined)
    return refuse([{ path: [], message: 'the inventory allows no registration' }]);
  const parsed = registrationBody.safeParse(withoutNulls(body), { error: explainIssue });
  if (!parsed.success) return refuse(mistakesOf(parsed.error.issues));

  const { domains, name = nameAfter(domains[0] ?? ''), targets } = parsed.data;
  const rules = webhookRules(registration);
  const outside = findForbiddenNames(domains, rules);
  const chosen = targets?.map((target) => ({
    ...target,
    ...operatorsWord(target, name, registration),
    restart: target.restart ?? defaultRestart(rules.restarts(target)),
  }));
  const misplaced = findForbiddenTargets(chosen ?? [], rules);
  const spec: StoredSpec = {
    name,
    domains,
    issuer: registration.issuer,
    ...(registration.fallbackIssuers ? { fallbackIssuers: registration.fallbackIssuers } : {}),
    key: registration.key,
    targets: (chosen ?? registration.targets).map(
      (target): TargetSpec => ('acm' in target ? target : { ...target, secret: fillIn(target, name) }),
    ),
    source: 'registration',
  };
  const mistakes = [...outside, ...misplaced, ...findTakenSecrets(spec, inventory)];
  return mistakes.length > 0 ? refuse(mistakes) : { spec };
}

/** A certificate's name made of its first domain: the dots become hyphens. Where that could be said of two domains, or is
 *  too long, the start of a hash of the domain follows. */
export function nameAfter(domain: string): string {
  const isWildcard = domain.startsWith('*.');
  const plain = withoutWildcard(domain);
  const name = `${isWildcard ? 'wildcard-' : ''}${plain.replaceAll('.', '-')}`;
  const isAmbiguous = plain.includes('-') || (!isWildcard && plain.startsWith('wildcard.'));
  if (!isAmbiguous && name.length <= maxNameLength) return name;
  return `${name.slice(0, maxNameLength - 9).replace(/(?<!-)-+$/, '')}-${hash('sha256', domain).slice(0, 8)}`;
}

const maxNameLength = 63;

/** What the operator says of a target, and the request cannot: how its workloads change over, and what may be taken over,
 *  which is only the Secret that the inventory itself would have named, never one of the request's choosing. */
function operatorsWord(
  asked: NamespaceRef & Pick<SecretTarget, 'secret'>,
  name: string,
  { targets }: RegistrationSpec,
): Pick<SecretTarget, 'adopt' | 'replace' | 'rollout'> {
  const near = targets.filter(isSecretTarget).filter((allowed) => isSameNamespace(allowed, asked));
  const own = near.find((allowed) => fillIn(allowed, name) === fillIn(asked, name));
  const { rollout } = own ?? near[0] ?? {};
  return { adopt: own?.adopt ?? false, replace: own?.replace ?? false, ...(rollout ? { rollout } : {}) };
}

function fillIn({ secret }: Pick<SecretTarget, 'secret'>, name: string): string {
  return secret.replaceAll('{name}', name);
}

/** What a sender means who says nothing. */
function defaultRestart(allowed: readonly AllowedRestart[]): 'auto' | 'needed' | 'none' {
  const words = allowed.filter((one) => typeof one === 'string');
  return words.includes('auto') ? 'auto' : (words[0] ?? 'none');
}

/** A field that is null is one that is not there, in the request itself and in its targets. */
function withoutNulls(body: unknown): unknown {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return body;
  const said = Object.entries(body).filter(([, value]) => value !== null);
  return Object.fromEntries(
    said.map(([key, value]) => [
      key,
      key === 'targets' && Array.isArray(value) ? value.map(withoutNulls) : value,
    ]),
  );
}
