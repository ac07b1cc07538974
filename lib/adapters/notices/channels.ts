// Gives notices to channels: reads the channel's secret, renders, posts, and says how it ended.
import type { NoticeChannel } from '../../certificate/notice-spec.ts';
import { oneLine } from '../../policy/bounds.ts';
import type { Notice } from '../../policy/notices/notice.ts';
import type { Clock } from '../../ports/clock.ts';
import { CertrelayError } from '../../ports/errors.ts';
import type { PostNotice, TryResult } from '../../ports/notices.ts';
import type { ReadText } from '../../ports/store.ts';
import { judgeAnswer, openPost, type PostOptions, type PostRequest } from './http.ts';
import { renderPagerDuty } from './pagerduty.ts';
import { judgeSlack, renderSlack } from './slack.ts';
import { renderTeams } from './teams.ts';
import { judgePublish, renderPublish, signPublish, type TopicOptions } from './topic.ts';
import { renderWebhook } from './webhook.ts';

/** What the channels need. */
export interface ChannelOptions {
  readonly readText: ReadText;
  readonly clock: Clock;
  /** The topic for `email`; absent: there is none. */
  readonly topic?: TopicOptions | undefined;
  /** URL of the dashboard, which notices link to; absent: they have no link. */
  readonly dashboard?: string | undefined;
  /** How connections are made. */
  readonly connections?: PostOptions | undefined;
}

/** `PostNotice` for all kinds of channels. `close` ends the connections. */
export function connectChannels(options: ChannelOptions): {
  readonly post: PostNotice;
  readonly close: () => Promise<void>;
} {
  const { post, close } = openPost(options.connections);
  return {
    async post(channel, notice, signal) {
      const { dashboard } = options;
      const prepared = await prepare(channel, { ...notice, dashboard }, options, signal);
      if ('kind' in prepared) return prepared;
      let result: TryResult = { kind: 'accepted', words: 'nothing to post' };
      let posted = 0;
      for (const request of prepared.requests) {
        const answer = await post(request, signal).catch((reason: unknown): TryResult => {
          if (posted === 0) throw reason;
          return { kind: 'failed', words: 'the invocation had no time left' };
        });
        result = 'kind' in answer ? answer : prepared.judge(answer);
        // A service that takes so many a minute would never get to the end if each try began anew.
        if (result.kind === 'failed') return { ...result, posted };
        if (result.kind === 'refused') return result;
        posted += 1;
      }
      return result;
    },
    close,
  };
}

interface Prepared {
  readonly requests: readonly PostRequest[];
  readonly judge: typeof judgeAnswer;
}

async function prepare(
  channel: NoticeChannel,
  notice: Notice,
  options: ChannelOptions,
  signal: AbortSignal,
): Promise<Prepared | TryResult> {
  const { clock, readText } = options;
  if (channel.kind === 'email') return prepareMail(notice, options, signal);
  const { secret = '' } = channel;
  let key: string;
  try {
    key = (await readText(secret, signal)).trim();
  } catch (error) {
    signal.throwIfAborted();
    const why = error instanceof CertrelayError ? error.message : `the AWS secret ${secret} was not read`;
    return { kind: 'failed', words: oneLine(why, 300) };
  }
  const rendered = render(channel, notice, key, clock.now());
  // A person may put the AWS secret right while the notice waits.
  if ('problem' in rendered) return { kind: 'failed', words: `the AWS secret ${secret} ${rendered.problem}` };
  return { requests: rendered, judge: channel.kind === 'slack' ? judgeSlack : judgeAnswer };
}

/** The posts for a notice. `key`: the text of the channel's AWS secret. */
function render(
  { kind, url = '' }: NoticeChannel,
  notice: Notice,
  key: string,
  now: Date,
): readonly PostRequest[] | { readonly problem: string } {
  switch (kind) {
    case 'webhook': {
      const request = renderWebhook(notice, { url, key, now });
      return 'problem' in request ? request : [request];
    }
    case 'pagerduty':
      return renderPagerDuty(notice, { key, url: url === '' ? undefined : url });
    case 'email':
      return [];
    case 'slack':
    case 'teams': {
      const isUrl = URL.parse(key)?.protocol === 'https:';
      if (!isUrl) return { problem: 'must be the URL of the webhook, beginning with https://' };
      return [{ url: key, body: kind === 'teams' ? renderTeams(notice, now) : renderSlack(notice, now) }];
    }
  }
}

async function prepareMail(
  notice: Notice,
  { topic, clock }: ChannelOptions,
  signal: AbortSignal,
): Promise<Prepared | TryResult> {
  if (!topic) {
    const words = 'there is no topic: deploy with --param="alarmEmail=…" or --param="alarmTopic=…"';
    return { kind: 'refused', words };
  }
  const now = clock.now();
  try {
    const request = await signPublish(renderPublish(notice, topic.arn, now), topic, now);
    return { requests: [request], judge: (answer) => judgePublish(answer, topic.arn) };
  } catch {
    signal.throwIfAborted();
    return { kind: 'failed', words: 'AWS gave no credentials to sign for SNS' };
  }
}
