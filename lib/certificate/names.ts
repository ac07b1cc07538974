// DNS names as certificates hold them: wildcards, challenge names, exact sets.
import { hash } from 'node:crypto';

/** Names in one certificate (Let's Encrypt, profile classic). */
export const maxNames = 100;

const challengeLabel = '_acme-challenge';
const persistentLabel = '_validation-persist';

/** Whether a wildcard stands for the name: exactly one more label (RFC 9525 §6.3). A name covers nothing. */
export function coversName(wildcard: string, name: string): boolean {
  if (!wildcard.startsWith('*.') || name.startsWith('*.')) return false;
  const dot = name.indexOf('.');
  return dot > 0 && name.slice(dot) === wildcard.slice(1);
}

/** Whether a certificate with these names is valid for the name, by the name itself or by a wildcard. */
export function isCovered(name: string, names: readonly string[]): boolean {
  return names.some((candidate) => candidate === name || coversName(candidate, name));
}

/** Each name that a wildcard of the same list covers, with that wildcard. A CA refuses such an order as
 *  malformed. */
export function findCovered(
  domains: readonly string[],
): readonly { readonly wildcard: string; readonly name: string }[] {
  const wildcards = new Set(domains.filter((domain) => domain.startsWith('*.')));
  return domains.flatMap((name) => {
    const wildcard = `*${name.slice(name.indexOf('.'))}`;
    return wildcards.has(wildcard) && coversName(wildcard, name) ? [{ wildcard, name }] : [];
  });
}

/** Name of the DNS-01 TXT record (RFC 8555 §8.4); the same for a name and its wildcard. */
export function challengeName(domain: string): string {
  return `${challengeLabel}.${withoutWildcard(domain)}`;
}

/** Name of the persistent TXT record (draft-ietf-acme-dns-persist-02); the same for a name and its
 *  wildcard. */
export function persistentName(domain: string): string {
  return `${persistentLabel}.${withoutWildcard(domain)}`;
}

/** The name without a leading `*.`. */
export function withoutWildcard(domain: string): string {
  return domain.startsWith('*.') ? domain.slice(2) : domain;
}

/** SHA-256 of the exact set of names, hex: the same for every order and repetition of them. */
export function namesKey(domains: readonly string[]): string {
  return hash('sha256', [...new Set(domains)].sort().join('\n'));
}

/** Whether both lists hold exactly the same names, in any order. */
export function sameNames(one: readonly string[], other: readonly string[]): boolean {
  const names = new Set(one);
  return names.size === new Set(other).size && other.every((name) => names.has(name));
}

/** Whether each of `others` is one of the names, letter by letter: a wildcard stands for none. */
export function hasAll(names: readonly string[], others: readonly string[]): boolean {
  return others.every((name) => names.includes(name));
}

/** The names that a CA was asked for, by which a stored certificate is judged: those kept with it, if it has
 *  all of them, else its own. */
export function namesRequested(
  requested: readonly string[] | undefined,
  { names }: { readonly names: readonly string[] },
): readonly string[] {
  return requested !== undefined && requested.length > 0 && hasAll(names, requested) ? requested : names;
}
