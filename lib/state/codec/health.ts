// Writes and reads what is remembered of troubles on tags.
import type { Trouble } from '../health.ts';
import type { FieldCodec } from './field.ts';
import { cutPart, decodeInstant, decodeText, keyPrefix, toParts } from './text.ts';

const noCause = '-';

/** `<since> <code> <cause, or -> <words>`. */
export const trouble: FieldCodec<Trouble> = {
  read(text) {
    const [, began = '', code, cause, words] = /^(\S+) (\S+) (\S+) (.*)$/s.exec(text) ?? [];
    const since = decodeInstant(began);
    if (!since || code === undefined || words === undefined) return undefined;
    return { since, code, ...(cause === noCause ? {} : { cause }), words };
  },
  write: ({ since, code, cause = noCause, words }) => `${since.toISOString()} ${code} ${cause} ${words}`,
};

const clusterPrefix = `${keyPrefix}cluster/`;

/** Key and value of the tag with the trouble of one cluster. It is one tag: its words are cut, after a whole
 *  character. */
export function encodeCluster(cluster: string, found: Trouble | null): readonly [key: string, value: string] {
  const [[, value] = ['', ''], ...more] = toParts('', found ? trouble.write(found) : '');
  return [clusterPrefix + cluster, more.length > 0 ? cutPart(value) : value];
}

/** The cluster and its trouble in one tag; `undefined` for other tags and text that cannot be read. */
export function decodeCluster(
  key: string,
  value: string,
): { readonly cluster: string; readonly trouble: Trouble } | undefined {
  if (!key.startsWith(clusterPrefix)) return undefined;
  const found = trouble.read(decodeText(value) ?? '');
  return found && { cluster: key.slice(clusterPrefix.length), trouble: found };
}
