// Writes and reads what is remembered of troubles on tags.
import type { Trouble } from '../health.ts';
import type { FieldCodec } from './field.ts';
import { decodeInstant } from './text.ts';

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
