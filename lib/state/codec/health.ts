// Writes and reads what is remembered of troubles on tags.
import {
  type Acknowledgement,
  type HealthNote,
  healthWords,
  type Teller,
  type Trouble,
  tellers,
} from '../health.ts';
import type { FieldCodec } from './field.ts';
import {
  decodeInstant,
  decodeText,
  encodeMiddleCut,
  encodeText,
  keyPrefix,
  longestTagValue,
} from './text.ts';

const tellerLetters: Readonly<Record<Teller, string>> = { events: 'e', notices: 'n' };

const [degradedLetter, causedLetter] = ['d', 'c'];

/** `<health>/<reason>/<since>/<one letter per teller, and one for each of the flags>`, and `/<turn>`. */
export const healthNote: FieldCodec<HealthNote> = {
  read(text) {
    const [word, reason, instant = '', letters = '', turn] = text.split('/');
    const health = healthWords.find((known) => known === word);
    const since = decodeInstant(instant);
    if (!health || !reason || !since) return undefined;
    const told = tellers.filter((one) => letters.includes(tellerLetters[one]));
    return {
      health,
      reason,
      since,
      told,
      ...(letters.includes(degradedLetter) && { wasDegraded: true }),
      ...(letters.includes(causedLetter) && { isCaused: true }),
      ...(turn && { turn }),
    };
  },
  write({ health, reason, since, told, wasDegraded, isCaused, turn }) {
    const others = [wasDegraded ? degradedLetter : '', isCaused ? causedLetter : ''];
    const letters = [...told.map((one) => tellerLetters[one]), ...others].join('');
    return [health, reason, since.toISOString(), letters, ...(turn ? [turn] : [])].join('/');
  },
};

/** `<until> <reason> <words>`. */
export const acknowledgement: FieldCodec<Acknowledgement> = {
  read(text) {
    const [, end = '', reason, words] = /^(\S+) (\S+) (.*)$/s.exec(text) ?? [];
    const until = decodeInstant(end);
    return until && reason !== undefined && words !== undefined ? { until, reason, words } : undefined;
  },
  write: ({ until, reason, words }) => `${until.toISOString()} ${reason} ${words}`,
};

const noCause = '-';
/** How versions before spelled `PreflightFailed`. */
const formerPreflight = 'Preflight';

/** `<since> <code> <cause, or -> <words>`. */
export const trouble: FieldCodec<Trouble> = {
  read(text) {
    const [, began = '', code, cause, words] = /^(\S+) (\S+) (\S+) (.*)$/s.exec(text) ?? [];
    const since = decodeInstant(began);
    if (!since || code === undefined || words === undefined) return undefined;
    const known = code === formerPreflight ? 'PreflightFailed' : code;
    return { since, code: known, ...(cause === noCause ? {} : { cause }), words };
  },
  write: ({ since, code, cause = noCause, words }) => `${since.toISOString()} ${code} ${cause} ${words}`,
};

const clusterPrefix = `${keyPrefix}cluster/`;

/** Key and value of the tag with the trouble of one cluster. It is one tag: of words that are too long the
 *  middle is left out, for what to do stands at their end. */
export function encodeCluster(cluster: string, found: Trouble | null): readonly [key: string, value: string] {
  if (!found) return [clusterPrefix + cluster, ''];
  const head = encodeText(trouble.write({ ...found, words: '' }));
  return [clusterPrefix + cluster, head + encodeMiddleCut(found.words, longestTagValue - head.length)];
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
