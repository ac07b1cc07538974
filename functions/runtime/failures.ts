// The error of an invocation in which something failed. It names each failure.
import { cutText } from '../../lib/policy/bounds.ts';
import { describeError } from '../../lib/ports/errors.ts';

/** Most failures that the error names; the log has all of them. */
const mostNamed = 100;

/** Throws if there are failures, so that alarms and retries see them. `what` failed, in the plural:
 *  `targets`.
 *  @throws AggregateError unless `failures` is empty. */
export function throwFailures(failures: readonly Error[], what: string): void {
  if (failures.length === 0) return;
  const lines = failures.slice(0, mostNamed).map((failure) => cutText(describeError(failure), 1_000));
  if (failures.length > mostNamed) lines.push(`and ${failures.length - mostNamed} more: see the log`);
  const messages = lines.join('\n  ');
  throw new AggregateError(failures, `${what} that failed: ${failures.length}\n  ${messages}`);
}
