// Who is told of alarms: the subscriptions of their topic in SNS (API 2010-03-31).
import { signPublish } from '../../../lib/adapters/notices/topic.ts';
import { nameSome } from '../../../lib/policy/bounds.ts';
import { describeMissing } from '../connection.ts';
import type { CheckedAws } from './aws.ts';
import { type CheckedPart, fine, lookAt, unseen, wrong } from './part.ts';

/** Whether anybody has subscribed to the topic, and has confirmed it.
 *  @param topic Its ARN; empty: there is none.
 *  @param channels How many channels the inventory names for notices. */
export async function checkTopic(aws: CheckedAws, topic: string, channels: number): Promise<CheckedPart> {
  const part = 'alarms';
  if (topic === '') {
    if (channels > 0)
      return fine(part, `they go nowhere but to CloudWatch; ${channels} channels get notices`);
    const advice = 'deploy with --param="alarmEmail=ops@example.com", or name channels in the inventory';
    return wrong(part, `nobody is told of anything: ${advice}`);
  }
  if (!aws.canAsk('SNS')) return unseen(part, describeMissing('SNS'));
  const looked = await lookAt(part, `sns:ListSubscriptionsByTopic on ${topic}`, () => list(aws, topic));
  if ('unseen' in looked) {
    const isGone = looked.thrown instanceof Error && looked.thrown.name === 'NotFound';
    const advice = 'deploy again, or with another alarmTopic';
    return isGone ? wrong(part, `the topic ${topic} is gone, and nobody is told: ${advice}`) : looked.unseen;
  }
  const subscribed = looked.seen.filter(({ arn }) => arn !== 'Deleted');
  const pending = subscribed.filter(({ arn }) => arn === 'PendingConfirmation');
  const confirmed = `${subscribed.length - pending.length} subscribed to ${topic}`;
  if (subscribed.length === 0)
    return wrong(part, `nobody has subscribed to ${topic}: subscribe, or deploy with --param="alarmEmail=…"`);
  if (pending.length > 0) {
    const advice =
      'follow the link that AWS has mailed; after three days deploy with another alarmEmail, then with this one';
    const isPart = pending.length < subscribed.length;
    const missing = `not confirmed yet, so nothing arrives${isPart ? ' there' : ''}`;
    const endpoints = pending.map(({ endpoint }) => endpoint);
    const words = `${missing}: ${nameSome(endpoints, 5)}; ${advice}`;
    return wrong(part, isPart ? `${confirmed}; ${words}` : words);
  }
  return fine(part, confirmed);
}

interface TopicSubscription {
  readonly arn: string;
  readonly endpoint: string;
}

/** The first hundred. */
async function list(
  { identify, snsEndpoint, signalOf }: CheckedAws,
  topic: string,
): Promise<readonly TopicSubscription[]> {
  const fields = { Action: 'ListSubscriptionsByTopic', Version: '2010-03-31', TopicArn: topic };
  const options = { arn: topic, endpoint: snsEndpoint, identify };
  const { url, headers, body } = await signPublish(fields, options, new Date());
  const answer = await fetch(url, { method: 'POST', headers: headers ?? {}, body, signal: signalOf() });
  const text = await answer.text();
  if (!answer.ok) throw refusalIn(text, answer.status);
  return [...text.matchAll(/<member>([\s\S]*?)<\/member>/g)].map(([, member = '']) => ({
    arn: textIn(member, 'SubscriptionArn'),
    endpoint: textIn(member, 'Endpoint'),
  }));
}

/** The error as the SDK would name it. */
function refusalIn(text: string, status: number): Error {
  const error = new Error(textIn(text, 'Message') || `status ${status}`);
  error.name = textIn(text, 'Code') || 'NoReason';
  return error;
}

function textIn(xml: string, name: string): string {
  const [, after = ''] = xml.split(`<${name}>`);
  return after.split('<')[0] ?? '';
}
