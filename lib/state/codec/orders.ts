// Writes and reads the state of orders on tags.
import type { OrderLog, OrderOwner, TxtJournal, ValidAuthorizations } from '../orders.ts';
import type { FieldCodec } from './field.ts';
import { decodeInstant } from './text.ts';

/** `<directory> <profile>`; nothing after the space for the CA's default. */
export const orderOwner: FieldCodec<OrderOwner> = {
  read(text) {
    const [, directory, profile] = /^(\S+) (.*)$/s.exec(text) ?? [];
    if (directory === undefined) return undefined;
    return profile ? { directory, profile } : { directory };
  },
  write: ({ directory, profile = '' }) => `${directory} ${profile}`,
};

/** `<directory> <registered domains> <Unix times>`, with commas. */
export const orderLog: FieldCodec<OrderLog> = {
  read(text) {
    const [directory, domains, seconds, ...rest] = text.split(' ');
    if (!directory || !domains || !seconds || rest.length > 0) return undefined;
    const times = seconds.split(',').map(readSeconds);
    if (times.some((time) => Number.isNaN(time.getTime()))) return undefined;
    return { directory, registeredDomains: domains.split(','), times };
  },
  write({ directory, registeredDomains, times }) {
    const seconds = times.map((time) => Math.floor(time.getTime() / 1000));
    return [directory, registeredDomains.join(','), seconds.join(',')].join(' ');
  },
};

function readSeconds(text: string): Date {
  return new Date(/^\d{1,11}$/.test(text) ? Number(text) * 1000 : Number.NaN);
}

/** The beginnings of values, eight characters each, without separator. Incomplete ones are ignored. */
export const txtJournal: FieldCodec<TxtJournal> = {
  read: (text) => text.match(/[\w-]{8}/g) ?? undefined,
  write: (marks) => marks.join(''),
};

/** `<expires>/<read at>/<methods>/<subject>/<profile>`: methods with `+` between them; nothing after the last
 *  slash for the CA's default. */
export const validAuthorizations: FieldCodec<ValidAuthorizations> = {
  read(text) {
    const [, end = '', said = '', methods = '', subject, profile] =
      /^([^/]+)\/([^/]+)\/([a-z0-9+-]*)\/([0-9a-f]{64})\/(.*)$/s.exec(text) ?? [];
    const [expires, readAt] = [decodeInstant(end), decodeInstant(said)];
    if (!expires || !readAt || subject === undefined) return undefined;
    const list = methods === '' ? [] : methods.split('+');
    return { expires, readAt, methods: list, subject, ...(profile && { profile }) };
  },
  write({ expires, readAt, methods, subject, profile = '' }) {
    return [expires.toISOString(), readAt.toISOString(), methods.join('+'), subject, profile].join('/');
  },
};
