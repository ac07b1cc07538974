// Reads the names of certificates that a command was given.
import { certificateNamePattern } from '../../lib/certificate/certificate-name.ts';
import { oneLine } from '../../lib/policy/bounds.ts';
import { CommandError } from './errors.ts';

/** The names, each once; empty if none is given. `certificate/shop`, as results name it, is `shop`.
 *  @throws CommandError `usage` if one cannot be a certificate's name. */
export function readNames(value: unknown): readonly string[] {
  const names = listTexts(value).map((name) => name.replace(/^certificate\//, ''));
  for (const name of names) {
    if (!certificateNamePattern.test(name))
      throw new CommandError(
        'usage',
        `${JSON.stringify(name.slice(0, 100))} cannot be a certificate: ${explain(name)}`,
      );
  }
  return [...new Set(names)];
}

/** Tables show targets and domains beside the names. */
function explain(name: string): string {
  const rule = 'names have up to 63 of a-z, 0-9 and inner hyphens';
  const what = /^[^/]+\/[^/]+\/[^/]+$/.test(name)
    ? 'a target'
    : /^[^/]+\.[^/]+$/.test(name)
      ? 'a domain'
      : '';
  return what === '' ? rule : `it is ${what}; ${rule}, and "npx certrelay list" shows them`;
}

/** What a command is about: certificates, and others as `cluster/prod`. */
export interface NamedSubjects {
  readonly certificates: readonly string[];
  readonly others: readonly string[];
}

/** The names of certificates and others, each once.
 *  @throws CommandError `usage` if one can be neither. */
export function readSubjects(value: unknown): NamedSubjects {
  const names = [...new Set(listTexts(value))];
  const isOther = (name: string) => /^(?:cluster|issuer|agent|function|channel)\/./.test(name);
  return {
    certificates: readNames(names.filter((name) => !isOther(name))),
    others: names.filter(isOther).map((name) => oneLine(name, 200)),
  };
}

function listTexts(value: unknown): readonly string[] {
  return (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);
}

/** The field of an event that names certificates; empty for all. */
export function namesField(names: readonly string[]): { readonly certificates?: readonly string[] } {
  return names.length > 0 ? { certificates: names } : {};
}
