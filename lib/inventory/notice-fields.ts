// The schema of `notifications`: channels for notices to people.
import * as z from 'zod';
import {
  channelKinds,
  channelName,
  type DigestTime,
  type NoticeChannel,
  noticeEvents,
} from '../certificate/notice-spec.ts';
import { weekdays } from '../certificate/rollout-spec.ts';
import { awsSecret, mapping } from './fields.ts';
import { urlPattern } from './patterns.ts';
import { describeInput } from './problems.ts';
import { isTimeZone } from './rollout-fields.ts';

/** Most channels of an installation: each has a message of its own for each notice. */
const mostChannels = 10;

function secret(word: string, contents: string) {
  const example = `certrelay/notify/${word}`;
  return mapping({ secret: noticeSecret(example).describe(`AWS secret with ${contents}`) });
}

/** Only what is below notify/ may be read by the function. */
function noticeSecret(example: string) {
  return awsSecret(example).regex(
    /(^|\/)notify\/[\w.-]{1,64}$/,
    `must be below notify/ of the installation, such as "${example.replace(/^certrelay/, '{prefix}')}"; notify may read no other AWS secret`,
  );
}

const url = z
  .string()
  .meta({ pattern: urlPattern('https'), maxLength: 2_048 })
  .refine(
    (text) => {
      const parsed = URL.parse(text);
      return text.length <= 2_048 && parsed?.protocol === 'https:' && !parsed.username && !parsed.hash;
    },
    {
      error: ({ input }) =>
        `${describeInput(input)} is not a URL for notices; use e.g. https://ops.example.com/hooks`,
    },
  );

/** When a digest is sent, such as `Mon 08:00 Europe/Berlin`. */
const digestPattern = `^(?:daily|${weekdays.join('|')}) (?:[01][0-9]|2[0-3]):[0-5][0-9] [A-Za-z]\\S*$`;

const digest = z
  .string()
  .meta({ pattern: digestPattern })
  .transform((text, context): DigestTime => {
    const [, day = '', hour, minute, zone = ''] = /^(\w+) ([01]\d|2[0-3]):([0-5]\d) (\S+)$/.exec(text) ?? [];
    const known = ['daily' as const, ...weekdays].find((one) => one === day);
    if (known && isTimeZone(zone) && /^[A-Za-z]/.test(zone)) {
      return { day: known, hour: Number(hour), minute: Number(minute), zone };
    }
    const wrong = known && zone !== '' ? 'has an unknown time zone' : 'is not a time for a digest';
    const message = `${describeInput(text)} ${wrong}; use e.g. "Mon 08:00 Europe/Berlin" or "daily 07:30 UTC"`;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });

const channel = mapping({
  slack: secret('slack', "the URL of one of Slack's incoming webhooks")
    .optional()
    .describe('A channel of Slack'),
  teams: secret('teams', 'the URL of a webhook of the Workflows app')
    .optional()
    .describe('A channel of Microsoft Teams'),
  pagerduty: mapping({
    secret: noticeSecret('certrelay/notify/pagerduty').describe(
      'AWS secret with the routing key of a service',
    ),
    url: url
      .optional()
      .describe('Where events go. Default: https://events.pagerduty.com/v2/enqueue; the EU has another'),
  })
    .optional()
    .describe('A service of PagerDuty, with Events API v2'),
  webhook: mapping({
    url: url.describe('Where JSON is posted to; https only'),
    secret: noticeSecret('certrelay/notify/ops').describe('AWS secret with the signing key, whsec_…'),
  })
    .optional()
    .describe('A service of yours: JSON that is signed as Standard Webhooks says'),
  email: z
    .literal(true, { error: ({ input }) => `is ${describeInput(input)}; write true, or remove the entry` })
    .optional()
    .describe('true: the topic of alarms (parameters alarmEmail, alarmTopic), as readable text'),
  events: z
    .array(z.enum(noticeEvents))
    .default(['Degraded', 'Recovered'])
    .describe('What it is told of. Default: Degraded, Recovered'),
  digest: digest
    .optional()
    .describe('When it gets a table of everything, such as "Mon 08:00 Europe/Berlin". Default: never'),
})
  .meta({ oneOf: channelKinds.map((kind) => ({ required: [kind] })) })
  .transform(({ events, digest: time, ...kinds }, context): NoticeChannel => {
    const named = channelKinds.filter((kind) => kinds[kind] !== undefined);
    const [kind] = named;
    const refuse = (path: readonly string[], message: string) => {
      context.addIssue({ code: 'custom', path: [...path], message });
    };
    if (kind === undefined || named.length > 1) {
      refuse([], `must have exactly one of ${channelKinds.join(', ')}; write one entry for each channel`);
      return z.NEVER;
    }
    if (new Set(events).size < events.length) refuse(['events'], 'repeats an event; write each once');
    if (events.length === 0 && time === undefined)
      refuse(['events'], 'is empty, and there is no digest; add one of them');
    if (kind === 'pagerduty' && events.includes('Issued'))
      refuse(['events'], 'has Issued, for which no incident is opened; leave it out for pagerduty');
    if (kind === 'pagerduty' && time !== undefined) refuse(['digest'], 'is not for a pager; leave it out');
    const { slack, teams, pagerduty, webhook } = kinds;
    const own = (slack ?? teams ?? pagerduty ?? webhook)?.secret;
    const to = (pagerduty ?? webhook)?.url;
    return {
      kind,
      ...(own === undefined ? {} : { secret: own }),
      ...(to === undefined ? {} : { url: to }),
      events,
      ...(time === undefined ? {} : { digest: time }),
    };
  });

/** `notifications`: every channel, each once. */
export const notifications = z
  .array(channel)
  .max(mostChannels, `has more than ${mostChannels} channels; write fewer`)
  .superRefine((channels, context) => {
    for (const [index, one] of channels.entries()) {
      const isSame = (other: NoticeChannel) =>
        channelName(other) === channelName(one) || (one.secret !== undefined && other.secret === one.secret);
      const earlier = channels.slice(0, index).findIndex(isSame);
      if (earlier === -1) continue;
      const message = `is the same channel as notifications[${earlier}]; remove one of the two, or give it an AWS secret with another name`;
      context.addIssue({ code: 'custom', path: [index], message });
    }
  });

/** The value for `notifications` that parses back to the same channels. */
export function serializeNotifications(channels: readonly NoticeChannel[]): readonly object[] {
  return channels.map(({ kind, secret: own, url: to, events, digest: time }) => {
    const fields = {
      ...(own === undefined ? {} : { secret: own }),
      ...(to === undefined ? {} : { url: to }),
    };
    return {
      [kind]: kind === 'email' ? true : fields,
      events,
      ...(time === undefined ? {} : { digest: formatDigest(time) }),
    };
  });
}

function formatDigest({ day, hour, minute, zone }: DigestTime): string {
  const [hours, minutes] = [hour, minute].map((part) => String(part).padStart(2, '0'));
  return `${day} ${hours}:${minutes} ${zone}`;
}
