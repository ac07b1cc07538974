// Writes and reads the state of orders on tags.
import type { OrderLog, OrderOwner, TxtJournal } from '../orders.ts';
import type { FieldCodec } from './field.ts';

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
