// Which names an order may hold (RFC 8555 §7.1.3, and Let's Encrypt's policy on names).
import { parse } from 'tldts';
import { malformed, Problem, type Subproblem } from './problem.ts';

interface Identifier {
  readonly type: string;
  readonly value: string;
}

/** The names of a new order, sorted, without repeats.
 *  @throws Problem `malformed`, `unsupportedIdentifier`, `rejectedIdentifier` with a subproblem for each name
 *  where several are refused (with one, only the detail names it, as Boulder) */
export function checkIdentifiers(
  identifiers: readonly Identifier[],
  limits: { readonly maxNames: number; readonly rejected: ReadonlySet<string> },
): readonly string[] {
  if (identifiers.length === 0) throw malformed('the order has no identifiers');
  for (const { type, value } of identifiers) {
    if (type !== 'dns') {
      throw new Problem(
        'unsupportedIdentifier',
        400,
        `identifier type "${type}" is not supported ("${value}")`,
      );
    }
    if (value === '') throw malformed('the order has an empty identifier');
  }
  const names = [...new Set(identifiers.map(({ value }) => value))].sort();
  refuse(names, (name) => wrongWith(name), 'malformed');
  if (names.length > limits.maxNames) {
    throw malformed(
      `an order of this profile has at most ${limits.maxNames} identifiers, not ${names.length}`,
    );
  }
  refuse(
    names,
    (name) => (limits.rejected.has(name) ? 'policy forbids this name' : undefined),
    'rejectedIdentifier',
  );
  for (const name of names) {
    const wildcard = name.replace(/^[^.]+/, '*');
    if (name !== wildcard && names.includes(wildcard)) {
      throw malformed(`"${name}" is covered by "${wildcard}" in the same order; remove one of them`);
    }
  }
  return names;
}

function refuse(
  names: readonly string[],
  reasonFor: (name: string) => string | undefined,
  type: string,
): void {
  const subproblems: Subproblem[] = names.flatMap((name) => {
    const reason = reasonFor(name);
    return reason === undefined ? [] : [{ type, detail: `Cannot issue for "${name}": ${reason}`, name }];
  });
  const [first, ...others] = subproblems;
  if (!first) return;
  if (others.length === 0) throw new Problem('rejectedIdentifier', 400, first.detail);
  throw new Problem(
    'rejectedIdentifier',
    400,
    `${first.detail} (and ${others.length} more: see the subproblems)`,
    {
      subproblems,
    },
  );
}

function wrongWith(name: string): string | undefined {
  const base = name.startsWith('*.') ? name.slice(2) : name;
  if (name.length > 253) return 'the name is longer than 253 characters';
  if (base.includes('*')) return 'a wildcard is only "*." at the start';
  if (/^\d+(\.\d+){3}$/.test(base)) return 'the name is an IP address';
  if (base.endsWith('.')) return 'the name ends in a dot';
  const labels = base.split('.');
  if (labels.length < 2) return 'the name needs at least one dot';
  if (labels.length > 10) return 'the name has more than 10 labels';
  for (const label of labels) {
    if (!/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(label)) {
      return `the label "${label}" is not 1 to 63 lower-case letters, digits and inner hyphens`;
    }
    if (/^..--/.test(label) && !label.startsWith('xn--')) return `the label "${label}" has a reserved form`;
  }
  const { isIcann, publicSuffix } = parse(base);
  if (!isIcann) return 'the name does not end in a public suffix';
  return publicSuffix === base ? 'the name is a public suffix' : undefined;
}
