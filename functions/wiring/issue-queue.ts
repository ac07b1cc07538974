// Connects to the queue of `issue`, for functions that cannot work without it.
import { connectIssueQueue } from '../../lib/adapters/sqs/issue-queue.ts';
import { ConfigError } from '../../lib/ports/errors.ts';
import type { IssueQueue } from '../../lib/ports/queues.ts';
import type { Settings } from '../../lib/settings/functions.ts';

/** The queue of `issue`. `what` the function sends stands in the error. @throws ConfigError `Settings` if it
 *  is not set. */
export function openIssueQueue(
  { issueQueueUrl }: Settings,
  what: string,
): IssueQueue & { readonly close: () => void } {
  if (issueQueueUrl !== undefined) return connectIssueQueue({ url: issueQueueUrl });
  const message = `CERTRELAY_ISSUE_QUEUE_URL must be set: ${what} go to issue by it`;
  throw new ConfigError('Settings', message);
}
