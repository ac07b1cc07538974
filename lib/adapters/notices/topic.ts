// Publishes notices on an SNS topic, for mail and whoever else has subscribed (SNS API 2010-03-31).
import type { Notice } from '../../policy/notices/notice.ts';
import { linesOf, titleOf } from '../../policy/notices/text.ts';
import type { TryResult } from '../../ports/notices.ts';
import { type Credentials, signAwsPost } from '../aws/signed-post.ts';
import type { PostAnswer, PostRequest } from './http.ts';

/** Longest subject: SNS wants under 100 characters. */
const longestSubject = 99;
/** Most bytes of a text: SNS takes 256 KiB in all. */
const mostBytes = 200_000;

/** A topic, and how to sign for it. */
export interface TopicOptions {
  readonly arn: string;
  /** URL of SNS; absent: that of the topic's region. */
  readonly endpoint?: string | undefined;
  readonly identify: () => Promise<Credentials>;
}

/** The fields of Publish for a notice: a text for mails, and its title alone for SMS. */
export function renderPublish(notice: Notice, arn: string, now: Date): Readonly<Record<string, string>> {
  const title = titleOf(notice);
  const link = notice.dashboard === undefined ? [] : ['', `dashboard: ${notice.dashboard}`];
  const text = `${cutBytes([title, '', ...linesOf(notice, now)].join('\n'))}${link.join('\n')}`;
  return {
    Action: 'Publish',
    Version: '2010-03-31',
    TopicArn: arn,
    Subject: toSubject(title),
    MessageStructure: 'json',
    Message: JSON.stringify({ default: text, sms: title.slice(0, 140) }),
  };
}

/** The signed request. */
export async function signPublish(
  fields: Readonly<Record<string, string>>,
  { arn, endpoint, identify }: TopicOptions,
  now: Date,
): Promise<PostRequest> {
  const [, , , region = ''] = arn.split(':');
  const { url, headers, body } = await signAwsPost(
    { service: 'sns', region, endpoint, identify },
    {
      headers: { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' },
      body: new URLSearchParams(fields).toString(),
    },
    now,
  );
  return { url: url.href, headers, body };
}

/** How SNS answered. Errors of a topic or a right may be mended, so these are tried again. */
export function judgePublish({ status, text, retryAfterMs }: PostAnswer, arn: string): TryResult {
  if (status === 200) return { kind: 'accepted', words: `published on ${arn}` };
  const code = /<Code>(\w{1,60})<\/Code>/.exec(text)?.[1] ?? `status ${status}`;
  if (code === 'AuthorizationError') {
    return {
      kind: 'failed',
      words: `AWS denied sns:Publish on ${arn}: its policy or notify's role must allow it`,
    };
  }
  if (code === 'NotFound') return { kind: 'failed', words: `the topic ${arn} does not exist` };
  const kind = code === 'InvalidParameter' ? 'refused' : 'failed';
  return { kind, words: `SNS answered ${code}`, ...(kind === 'failed' ? { retryAfterMs } : {}) };
}

/** ASCII, without control characters, and not too long: what SNS takes for a subject. */
function toSubject(title: string): string {
  const ascii = title.replace(/[^ -~]+/g, '?').trim();
  return ascii.length > longestSubject ? `${ascii.slice(0, longestSubject - 3)}...` : ascii;
}

function cutBytes(text: string): string {
  if (Buffer.byteLength(text) <= mostBytes) return text;
  return `${Buffer.from(text)
    .subarray(0, mostBytes)
    .toString('utf8')
    .replace(/\uFFFD$/, '')}\n…`;
}
