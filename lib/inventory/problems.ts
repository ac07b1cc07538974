// Mistakes in what a user wrote: where each one stands, what is wrong and what would be right.
import type * as z from 'zod';

/** One mistake. */
export interface InventoryProblem {
  /** Such as `certificates[2].domains[0]`; for text that is not YAML, such as `line 3, column 5`. */
  readonly path: string;
  readonly message: string;
  /** Line of the file, from 1; absent where the input was no file. */
  readonly line?: number;
}

/** Text for a person: every mistake on a line of its own. `file` names what was read. */
export function describeProblems(file: string, problems: readonly InventoryProblem[]): string {
  const count = problems.length === 1 ? 'one mistake' : `${problems.length} mistakes`;
  const lines = problems.map(
    ({ path, message, line }) => `  ${line === undefined ? '' : `line ${line}, `}${path}: ${message}`,
  );
  return [`the inventory ${file} has ${count}:`, ...lines].join('\n');
}

/** A mistake with its path still in parts. */
export interface InventoryMistake {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** `certificates[2].domains[0]`; unusual keys are quoted: `issuers["a b"]`. */
export function formatPath(path: readonly PropertyKey[]): string {
  const parts = path.map((part, index) => {
    if (typeof part === 'number') return `[${part}]`;
    const key = String(part);
    if (!/^[\w-]+$/.test(key)) return `[${JSON.stringify(key.slice(0, 80))}]`;
    return index === 0 ? key : `.${key}`;
  });
  return parts.join('') || 'the whole';
}

/** One finding for each mistake that a schema saw; unknown keys and the branches of a union each get their own place. */
export function mistakesOf(
  issues: readonly z.core.$ZodIssue[],
  prefix: readonly PropertyKey[] = [],
): readonly InventoryMistake[] {
  return issues.flatMap((issue) => {
    const path = [...prefix, ...issue.path];
    if (issue.code === 'unrecognized_keys') {
      return issue.keys.map((key) => ({ path: [...path, key], message: issue.message }));
    }
    const inner = issue.code === 'invalid_union' ? findIntendedBranch(issue.errors) : undefined;
    return inner === undefined ? [{ path, message: issue.message }] : mistakesOf(inner, path);
  });
}

/** The words for a mistake where the schema has none of its own: give it to every `safeParse`. */
export function explainIssue(issue: z.core.$ZodRawIssue): string {
  if (issue.code === 'invalid_type')
    return `is ${describeInput(issue.input)}; write ${nouns[issue.expected] ?? issue.expected}`;
  if (issue.code === 'invalid_value')
    return `is ${describeInput(issue.input)}; write one of ${issue.values.map(String).join(', ')}`;
  if (issue.code === 'invalid_key') return issue.issues.map(({ message }) => message).join('; ');
  return 'is not what may stand here';
}

/** A value in a few words, never at length. */
export function describeInput(input: unknown): string {
  if (input === undefined) return 'missing';
  if (input === null) return 'empty';
  if (Array.isArray(input)) return 'a list';
  if (typeof input === 'object') return 'a mapping';
  const text = JSON.stringify(input) ?? typeof input;
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}

const nouns: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  number: 'a number',
  object: 'a mapping',
  record: 'a mapping',
  string: 'text',
};

type Issues = readonly z.core.$ZodIssue[];

/** The branch whose mistakes are the ones to tell: of those with the input's form, the first that knows most of its keys. */
function findIntendedBranch(branches: readonly Issues[]): Issues | undefined {
  const unknown = (issues: Issues) =>
    issues.flatMap((issue) => (issue.code === 'unrecognized_keys' ? issue.keys : [])).length;
  return branches.filter(hasItsForm).toSorted((one, other) => unknown(one) - unknown(other))[0];
}

function hasItsForm(issues: Issues): boolean {
  return issues.every(
    ({ code, path }) =>
      path.length > 0 || (code !== 'invalid_type' && code !== 'invalid_value' && code !== 'invalid_union'),
  );
}
