// Connects to the channels of notices, and to the queue that notices wait in.
import { findCredentials } from '../../lib/adapters/aws/identity.ts';
import { connectChannels } from '../../lib/adapters/notices/channels.ts';
import { connectDeliveryQueue } from '../../lib/adapters/sqs/delivery-queue.ts';
import type { NotifyPorts } from '../../lib/notify/invocation.ts';
import { dashboardLink } from '../../lib/policy/notices/dashboard-link.ts';
import { ConfigError } from '../../lib/ports/errors.ts';
import type { Closing } from '../runtime/define-function.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { openSecrets } from './secrets.ts';

/** The ports of `notify`; `closing` ends the connections. @throws ConfigError `Settings` if the queue is not
 *  set. */
export function openNotices(invocation: Invocation, closing: Closing): NotifyPorts {
  const { settings, clock, log } = invocation;
  const { notifyQueueUrl: url, alarmTopic: arn, snsEndpoint: endpoint } = settings;
  if (url === undefined) {
    const message = 'CERTRELAY_NOTIFY_QUEUE_URL must be set: notices wait in that queue';
    throw new ConfigError('Settings', message);
  }
  const { installation, readText } = openSecrets(invocation, closing);
  const queue = connectDeliveryQueue({ url, clock });
  const topic = arn === undefined ? undefined : { arn, endpoint, identify: findCredentials() };
  const channels = connectChannels({ readText, clock, topic, dashboard: dashboardLink(settings) });
  closing.push(
    () => queue.close(),
    () => channels.close(),
  );
  return { post: channels.post, queue, installation, clock, log, random: Math.random };
}
