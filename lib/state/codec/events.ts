// Writes and reads on tags which events the bus did not take.
import type { OwedEvent } from '../events.ts';
import type { FieldCodec } from './field.ts';
import { decodeInstant } from './text.ts';

/** Events with `+` between them: `registered/<at>`, `issued/<at>/<version>/<notAfter>` or
 *  `revoked/<at>/<version>/<notAfter>/<reason>`. */
export const owedEvents: FieldCodec<readonly OwedEvent[]> = {
  read(text) {
    const events = text.split('+').map(readOne);
    return events.every((event) => event !== undefined) ? events : undefined;
  },
  write: (events) => events.map(writeOne).join('+'),
};

function readOne(text: string): OwedEvent | undefined {
  const [kind, instant = '', version, end = '', reason, ...rest] = text.split('/');
  const [at, notAfter] = [decodeInstant(instant), decodeInstant(end)];
  if (!at || rest.length > 0) return undefined;
  if (kind === 'registered' && version === undefined) return { kind, at };
  if (!version || !notAfter) return undefined;
  if (kind === 'issued' && reason === undefined) return { kind, at, version, notAfter };
  return kind === 'revoked' && reason ? { kind, at, version, notAfter, reason } : undefined;
}

function writeOne(event: OwedEvent): string {
  const begin = [event.kind, event.at.toISOString()];
  if (event.kind === 'registered') return begin.join('/');
  const version = [...begin, event.version, event.notAfter.toISOString()];
  return (event.kind === 'issued' ? version : [...version, event.reason]).join('/');
}
