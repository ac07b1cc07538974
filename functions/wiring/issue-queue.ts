// The queue that issue reads, for functions that cannot do their work without it.
import { connectIssueQueue } from '../../lib/adapters/sqs/issue-queue.ts';
import { ConfigError } from '../../lib/ports/errors.ts';
import type { IssueQueue } from '../../lib/ports/queues.ts';
import type { Settings } from '../../lib/settings/functions.ts';

/** `what` is sent by it: what the message names where the setting is missing. @throws ConfigError `Settings`. */
export function openIssueQueue(
  { issueQueueUrl }: Settings,
  what: string,
): IssueQueue & { readonly close: () => void } {
  if (issueQueueUrl !== undefined) return connectIssueQueue({ url: issueQueueUrl });
  const message = `CERTRELAY_ISSUE_QUEUE_URL must be set: ${what} go to issue by it`;
  throw new ConfigError('Settings', message);
}
