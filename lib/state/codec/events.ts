// Writes and reads on tags which events the bus did not take.
import type { OwedEvent } from '../events.ts';
import type { FieldCodec } from './field.ts';
import { decodeInstant } from './text.ts';

/** Events with `+` between them: `registered/<at>`, `issued/<at>/<version>/<notAfter>`,
 *  `revoked/<at>/<version>/<notAfter>/<reason>`, and `delivered/<at>/<version>/<notAfter>/<fingerprint>` or,
 *  where a target was put right, `redelivered/…`. */
export const owedEvents: FieldCodec<readonly OwedEvent[]> = {
  read(text) {
    const events = text.split('+').map(readOne);
    return events.every((event) => event !== undefined) ? events : undefined;
  },
  write: (events) => events.map(writeOne).join('+'),
};

function readOne(text: string): OwedEvent | undefined {
  const [kind, instant = '', version, end = '', last, ...rest] = text.split('/');
  const [at, notAfter] = [decodeInstant(instant), decodeInstant(end)];
  if (!at || rest.length > 0) return undefined;
  if (kind === 'registered' && version === undefined) return { kind, at };
  if (!version || !notAfter) return undefined;
  const stored = { at, version, notAfter };
  if (kind === 'issued' && last === undefined) return { kind, ...stored };
  if (kind === 'revoked' && last) return { kind, ...stored, reason: last };
  const isDelivery = kind === 'delivered' || kind === 'redelivered';
  return isDelivery && /^[0-9a-f]{64}$/.test(last ?? '')
    ? { kind: 'delivered', ...stored, fingerprint: last ?? '', isRepeat: kind === 'redelivered' }
    : undefined;
}

function writeOne(event: OwedEvent): string {
  const at = event.at.toISOString();
  if (event.kind === 'registered') return [event.kind, at].join('/');
  const stored = [at, event.version, event.notAfter.toISOString()];
  switch (event.kind) {
    case 'issued':
      return [event.kind, ...stored].join('/');
    case 'revoked':
      return [event.kind, ...stored, event.reason].join('/');
    case 'delivered':
      return [event.isRepeat ? 'redelivered' : event.kind, ...stored, event.fingerprint].join('/');
  }
}
