// Writes and reads the state of deliveries on tags.
import {
  type DeliveryPhase,
  type DeliveryRecord,
  type DeliveryRetry,
  type Freeze,
  type Holding,
  type Resumption,
  type SeenServed,
  type ServedRecord,
  type ServedTargets,
  type ServedWord,
  servedWords,
} from '../delivery.ts';
import type { FieldCodec } from './field.ts';
import { decodeInstant } from './text.ts';

/** The character of a target of which nothing is known. */
const untold = '-';

const phaseLetters: Readonly<Record<DeliveryPhase, string>> = { none: '-', applied: 'a', 'rolled-out': 'r' };
const phases = new Map<string, DeliveryPhase>([
  ['-', 'none'],
  ['a', 'applied'],
  ['r', 'rolled-out'],
]);

/** `<version>/<hash of the targets>/<one letter per target>`, after failures followed by
 *  `/<count>/<instant>`, and in the sixth part by what the targets hold. */
export const delivery: FieldCodec<DeliveryRecord> = {
  read(text) {
    const [version, targets, row, failures, after, held = ''] = text.split('/');
    if (!version || !targets || row === undefined) return undefined;
    const retry = readRetry(failures, after);
    const record = { version, targets, phases: Array.from(row, (letter) => phases.get(letter) ?? 'none') };
    const holds = readHoldings(held);
    return { ...record, ...(retry && { retry }), ...(holds && { holds }) };
  },
  write({ version, targets, phases: reached, retry, holds = [] }) {
    const row = reached.map((phase) => phaseLetters[phase]).join('');
    const later = retry ? [retry.failures, retry.after.toISOString()] : [];
    const held = writeHoldings(holds);
    const parts = held === '' ? later : [later[0] ?? '', later[1] ?? '', held];
    return [version, targets, row, ...parts].join('/');
  },
};

function readRetry(failures = '', instant = ''): DeliveryRetry | undefined {
  const after = decodeInstant(instant);
  if (!/^\d{1,6}$/.test(failures) || !after) return undefined;
  return { failures: Number(failures), after };
}

/** `<version>.<end>+<version>.<end>…:<one character per target>`: ends in seconds since 1970, base 36; each
 *  character is the place in the list, base 36, or `-`. Empty if nothing is known. */
function writeHoldings(holds: readonly (Holding | undefined)[]): string {
  const texts = holds.map((held) => held && `${held.version}.${toSeconds(held.notAfter).toString(36)}`);
  const list = [...new Set(texts)].flatMap((text) => text ?? []).slice(0, 36);
  if (list.length === 0) return '';
  const row = texts.map((text) => (text && list.includes(text) ? list.indexOf(text).toString(36) : untold));
  return `${list.join('+')}:${row.join('')}`;
}

function readHoldings(text: string): DeliveryRecord['holds'] {
  const [list = '', row = ''] = text.split(':');
  if (row === '') return undefined;
  const known = list.split('+').map((item): Holding | undefined => {
    const [, version, end = ''] = /^([\w-]{1,8})\.([0-9a-z]{1,9})$/.exec(item) ?? [];
    const seconds = Number.parseInt(end, 36);
    if (version === undefined || !(seconds <= lastSecond)) return undefined;
    return { version, notAfter: new Date(seconds * 1000) };
  });
  return Array.from(row, (place) => known[Number.parseInt(place, 36)]);
}

/** The last that a certificate can say (RFC 5280 §4.1.2.5), and that four digits of a year can. */
const lastSecond = toSeconds(new Date('9999-12-31T23:59:59Z'));

function toSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}

/** `<version> <target> <reason>`. */
export const freeze: FieldCodec<Freeze> = {
  read(text) {
    const [, version, target, reason] = /^(\S+) (\S+) (.*)$/s.exec(text) ?? [];
    if (version === undefined || target === undefined || reason === undefined) return undefined;
    return { version, target, reason };
  },
  write: ({ version, target, reason }) => `${version} ${target} ${reason}`,
};

/** `<version>/<instant>`. */
export const resumption: FieldCodec<Resumption> = {
  read(text) {
    const [version, instant = ''] = text.split('/');
    const at = decodeInstant(instant);
    return version && at ? { version, at } : undefined;
  },
  write: ({ version, at }) => `${version}/${at.toISOString()}`,
};

const servedLetters: Readonly<Record<ServedWord, string>> = {
  served: 's',
  unprobed: 'p',
  unreachable: 'u',
  stale: 'o',
  mismatch: 'm',
};
/** `<version>/<word>`; with addresses of targets followed by `/<hash of the addresses>/<one letter per
 *  target>`. */
export const served: FieldCodec<ServedRecord> = {
  read(text) {
    const [version, ...rest] = text.split('/');
    const seen = seenServed.read(rest.join('/'));
    return version && seen ? { version, ...seen } : undefined;
  },
  write: ({ version, ...seen }) => `${version}/${seenServed.write(seen)}`,
};

/** As `served`, without the version. */
export const seenServed: FieldCodec<SeenServed> = {
  read(text) {
    const [said, addresses, row = ''] = text.split('/');
    const word = servedWords.find((one) => one === said);
    if (word === undefined) return undefined;
    return addresses ? { word, targets: { addresses, words: Array.from(row, readLetter) } } : { word };
  },
  write: ({ word, targets }) => (targets ? `${word}/${writeTargets(targets)}` : word),
};

function readLetter(letter: string): ServedWord | undefined {
  return servedWords.find((word) => servedLetters[word] === letter);
}

function writeTargets({ addresses, words }: ServedTargets): string {
  return `${addresses}/${words.map((word) => (word ? servedLetters[word] : untold)).join('')}`;
}
