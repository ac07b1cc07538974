// Joins failures that have one reason into one line of an error.
import { nameSome } from '../../lib/policy/bounds.ts';

/** A failure of one part of a call. */
interface FailedPart {
  /** The certificate, target or cluster. */
  readonly what: string;
  readonly code: string;
  readonly message: string;
}

/** Parts that one line names, and namespaces that it names in place of one. */
const mostParts = 10;
const mostNamespaces = 5;

/** Stands in words for the namespace of a target, and for the target's Secret with its namespace. No message
 *  contains a control character. */
const namespaceMark = '\u0001';
const secretMark = '\u0002';

/** The failures by their words, in which the target's own namespace and Secret do not count. */
export function groupAlike<T extends FailedPart>(failures: readonly T[]): Map<string, T[]> {
  return Map.groupBy(failures, (failure) => `${failure.code}: ${withoutPlace(failure)}`);
}

/** One line for failures with the same words: the parts, then the words with their namespaces. */
export function describeLine(words: string, parts: readonly FailedPart[]): string {
  const names = [...new Set(parts.map(({ what }) => what))];
  const namespaces = [...new Set(parts.flatMap(({ what }) => placeOf(what)?.namespace ?? []))];
  const [first = ''] = parts.map(({ what }) => what);
  const secret = names.length === 1 ? (placeOf(first)?.secret ?? '') : '*';
  const [namespace = ''] = namespaces;
  const shown = nameSome(namespaces, mostNamespaces);
  const text = words
    .replaceAll(secretMark, `${namespaces.length === 1 ? namespace : '*'}/${secret}`)
    .replaceAll(`namespace ${namespaceMark}`, `namespace${namespaces.length === 1 ? '' : 's'} ${shown}`);
  return `${nameSome(names, mostParts)}: ${text}`;
}

function withoutPlace({ what, message }: FailedPart): string {
  const place = placeOf(what);
  if (!place) return message;
  const { namespace, secret } = place;
  const marked = message
    .replaceAll(` ${namespace}/${secret} `, ` ${secretMark} `)
    .replaceAll(` ${namespace}/* `, ` ${secretMark} `);
  return marked.replace(/namespace ([a-z0-9-]{1,63})(?![\w./-])/g, (text, name: string) =>
    name === namespace ? `namespace ${namespaceMark}` : text,
  );
}

/** Namespace and Secret of a target in a cluster; `undefined` for anything else. */
function placeOf(what: string): { readonly namespace: string; readonly secret: string } | undefined {
  const [cluster, namespace, secret, ...more] = what.split('/');
  if (!cluster || !namespace || !secret || more.length > 0 || cluster === 'acm') return undefined;
  return { namespace, secret };
}
