// Writes and reads the channels that cannot be reached, on a tag of the installation's AWS secret.
import type { FailingChannel, ToldIncident } from '../channels.ts';
import type { FieldCodec } from './field.ts';
import { decodeInstant } from './text.ts';

/** Most channels, and characters of each one's words: with them the text needs at most eight tags. */
const most = { channels: 10, words: 80 } as const;

/** One line a channel, `<instant> <channel>: <words>`. No channel at all is an empty text. Lines that this
 *  codec did not write are passed over. */
export const failingChannels: FieldCodec<readonly FailingChannel[]> = {
  read(text) {
    return text.split('\n').flatMap((line) => {
      const [, instant = '', channel, words] = /^(\S+) ([\w. -]+): (.*)$/.exec(line) ?? [];
      const since = decodeInstant(instant);
      return since && channel !== undefined && words !== undefined ? [{ channel, since, words }] : [];
    });
  },
  write(channels) {
    return channels
      .slice(0, most.channels)
      .map(({ channel, since, words }) => `${since.toISOString()} ${channel}: ${shorten(words)}`)
      .join('\n');
  },
};

function shorten(words: string): string {
  const line = words.replace(/\s+/g, ' ').trim();
  return line.length > most.words ? `${line.slice(0, most.words - 1)}…` : line;
}

/** `<key><seconds since the epoch, base 36>` of each that was closed, `<key>-<seconds>` of each that was
 *  opened, with `.` between them. What this codec did not write is passed over, as versions before pass over
 *  what was opened. */
export const toldIncidents: FieldCodec<readonly ToldIncident[]> = {
  read(text) {
    return text.split('.').flatMap((part) => {
      const [, key, mark, seconds] = /^([0-9a-f]{8})(-?)([0-9a-z]{1,8})$/.exec(part) ?? [];
      if (key === undefined || seconds === undefined) return [];
      const at = new Date(Number.parseInt(seconds, 36) * 1000);
      return [{ key, at, ...(mark === '-' ? { isOpen: true as const } : {}) }];
    });
  },
  write: (told) =>
    told
      .map(
        ({ key, at, isOpen }) => `${key}${isOpen ? '-' : ''}${Math.floor(at.getTime() / 1000).toString(36)}`,
      )
      .join('.'),
};
