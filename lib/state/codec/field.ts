// Codec of one field of the state: writes it as text and reads it again. With the codecs of simple fields.
import { decodeInstant } from './text.ts';

/** Writes one field as text and reads it again. */
export interface FieldCodec<T> {
  /** `undefined` for text that this codec did not write: somebody changed it. */
  read(text: string): T | undefined;
  /** Text from which `read` returns the same value. */
  write(value: T): string;
}

/** Text, unchanged. */
export const text: FieldCodec<string> = { read: (value) => value, write: (value) => value };

/** ISO 8601 in UTC. */
export const instant: FieldCodec<Date> = { read: decodeInstant, write: (value) => value.toISOString() };

/** A number of up to nine digits. */
export const count: FieldCodec<number> = {
  read: (value) => (/^\d{1,9}$/.test(value) ? Number(value) : undefined),
  write: String,
};

/** One of the given words. */
export function oneOf<T extends string>(...known: readonly T[]): FieldCodec<T> {
  return { read: (value) => known.find((one) => one === value), write: (value) => value };
}

/** A list of at least one text; no text contains the separator. */
export function listOf(separator: string): FieldCodec<readonly string[]> {
  return { read: (value) => value.split(separator), write: (values) => values.join(separator) };
}

/** `cluster/namespace`. */
export const namespace: FieldCodec<{ readonly cluster: string; readonly namespace: string }> = {
  read(value) {
    const [, cluster, name] = /^([^/]+)\/([^/]+)$/.exec(value) ?? [];
    return cluster === undefined || name === undefined ? undefined : { cluster, namespace: name };
  },
  write: ({ cluster, namespace: name }) => `${cluster}/${name}`,
};
