// Writes and reads the channels that cannot be reached, on a tag of the installation's AWS secret.
import type { ClosedIncident, FailingChannel } from '../channels.ts';
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

/** `<key><seconds since the epoch, base 36>` of each, with `.` between them. What this codec did not write is
 *  passed over. */
export const closedIncidents: FieldCodec<readonly ClosedIncident[]> = {
  read(text) {
    return text.split('.').flatMap((part) => {
      const [, key, seconds] = /^([0-9a-f]{8})([0-9a-z]{1,8})$/.exec(part) ?? [];
      if (key === undefined || seconds === undefined) return [];
      return [{ key, at: new Date(Number.parseInt(seconds, 36) * 1000) }];
    });
  },
  write: (closed) =>
    closed.map(({ key, at }) => `${key}${Math.floor(at.getTime() / 1000).toString(36)}`).join('.'),
};
