// How one field of the state is written as text and read again, and the simple ones.
import { decodeInstant } from './text.ts';

/** One field's spelling. */
export interface FieldCodec<T> {
  /** `undefined` for text that is not ours: somebody changed it, and the certificate is the truth. */
  read(text: string): T | undefined;
  /** What `read` gives back. */
  write(value: T): string;
}

/** As it stands. */
export const text: FieldCodec<string> = { read: (value) => value, write: (value) => value };

/** ISO 8601 in UTC. */
export const instant: FieldCodec<Date> = { read: decodeInstant, write: (value) => value.toISOString() };

/** Up to nine digits. */
export const count: FieldCodec<number> = {
  read: (value) => (/^\d{1,9}$/.test(value) ? Number(value) : undefined),
  write: String,
};

/** One of the words. */
export function oneOf<T extends string>(...known: readonly T[]): FieldCodec<T> {
  return { read: (value) => known.find((one) => one === value), write: (value) => value };
}

/** Texts without the separator in them, in their order; never none of them. */
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
