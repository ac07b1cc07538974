// What of a pass's changes goes into one message, and in which order.
import { healthWords } from '../../state/health.ts';
import { listSome, oneLine, takeFitting } from '../bounds.ts';
import type { HealthChange } from '../health/change.ts';

/** Bytes of JSON for the lists of a message. SQS takes 1 MiB, and 256 KiB for queues that were made before it
 *  did; the rest is for what is around the lists. */
export const mostListBytes = 200_000;

/** Names and targets that one change lists. */
const mostListed = 20;

/** Longest text of a change, in characters. */
const mostCharacters = 1_000;

/** The changes that a message has room for, worst first, and how many it has not. What has a cause of its
 *  own comes last: that cause's change counts it. */
export function fitChanges(
  changes: readonly HealthChange[],
  mostBytes: number,
): { readonly changes: readonly HealthChange[]; readonly omitted: number } {
  const ordered = changes.map(boundChange).sort((a, b) => rank(a) - rank(b) || days(a) - days(b));
  const fitting = takeFitting(ordered, mostBytes);
  return { changes: fitting, omitted: ordered.length - fitting.length };
}

/** The list's first entries with a count of the others; short texts on one line. */
function boundChange(change: HealthChange): HealthChange {
  return {
    ...change,
    domains: change.domains && listSome(change.domains, mostListed),
    targets: change.targets && listSome(change.targets, mostListed),
    message: oneLine(change.message, mostCharacters),
    command: change.command && (change.command.length > mostCharacters ? null : change.command),
  };
}

/** A digest's line with a short text. */
export function boundRow<Row extends { readonly message: string | null }>(row: Row): Row {
  return row.message === null ? row : { ...row, message: oneLine(row.message, 200) };
}

function rank({ cause, health }: HealthChange): number {
  return (cause === null ? 0 : healthWords.length) + healthWords.indexOf(health);
}

function days({ expiresInDays }: HealthChange): number {
  return expiresInDays ?? Number.MAX_SAFE_INTEGER;
}
