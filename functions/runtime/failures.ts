// How an invocation ends in which something failed: one error that names each failure.
import { cutText } from '../../lib/policy/bounds.ts';
import { describeError } from '../../lib/ports/errors.ts';

/** Failures that the error of an invocation names; the log has them all. */
const mostNamed = 100;

/** Ends an invocation that had failures: alarms and retries must see it. `what` failed, in the plural.
 *  @throws AggregateError unless `failures` is empty. */
export function throwFailures(failures: readonly Error[], what: string): void {
  if (failures.length === 0) return;
  const lines = failures.slice(0, mostNamed).map((failure) => cutText(describeError(failure), 1_000));
  if (failures.length > mostNamed) lines.push(`and ${failures.length - mostNamed} more: see the log`);
  const messages = lines.join('\n  ');
  throw new AggregateError(failures, `${what} that failed: ${failures.length}\n  ${messages}`);
}
