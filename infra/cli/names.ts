// Reads the names of certificates that a command was given.
import { certificateNamePattern } from '../../lib/certificate/certificate-name.ts';
import { CommandError } from './errors.ts';

/** The names, each once; empty if none is given.
 *  @throws CommandError `usage` if one cannot be a certificate's name. */
export function readNames(value: unknown): readonly string[] {
  const names = (Array.isArray(value) ? value : value === undefined ? [] : [value]).map(String);
  for (const name of names) {
    if (!certificateNamePattern.test(name))
      throw new CommandError(
        'usage',
        `${JSON.stringify(name.slice(0, 100))} cannot be a certificate: names have up to 63 of a-z, 0-9 and inner hyphens`,
      );
  }
  return [...new Set(names)];
}

/** The field of an event that names certificates; empty for all. */
export function namesField(names: readonly string[]): { readonly certificates?: readonly string[] } {
  return names.length > 0 ? { certificates: names } : {};
}
