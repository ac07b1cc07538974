// How the inventory describes channels for notices to people.
import type { Weekday } from './rollout-spec.ts';

/** Kinds of channels. */
export const channelKinds = ['slack', 'teams', 'pagerduty', 'webhook', 'email'] as const;
/** One of `channelKinds`. */
export type ChannelKind = (typeof channelKinds)[number];

/** What a channel can be told of. `Degraded`: a person must act. `Recovered`: no more. `Issued`: a
 *  certificate was issued. */
export const noticeEvents = ['Degraded', 'Recovered', 'Issued'] as const;
/** One of `noticeEvents`. */
export type NoticeEvent = (typeof noticeEvents)[number];

/** When a channel gets a digest, by the clocks of a place. */
export interface DigestTime {
  readonly day: Weekday | 'daily';
  /** 0 to 23. */
  readonly hour: number;
  /** 0 to 59. */
  readonly minute: number;
  /** IANA time zone, e.g. `Europe/Berlin`. */
  readonly zone: string;
}

/** One channel for notices. */
export interface NoticeChannel {
  readonly kind: ChannelKind;
  /** AWS secret with the channel's URL or key. Absent: `email`, which has none. */
  readonly secret?: string | undefined;
  /** Where to post: for `webhook`, whose secret is a signing key, and for `pagerduty`, if its service region
   *  is another than that of the US. */
  readonly url?: string | undefined;
  readonly events: readonly NoticeEvent[];
  /** Absent: no digest. */
  readonly digest?: DigestTime | undefined;
}

/** The channel's name in reports and logs: its kind, and the last part of its AWS secret's name if that is
 *  another word: `slack`, `webhook ops`, `email`. Unique in an inventory. */
export function channelName({ kind, secret }: Pick<NoticeChannel, 'kind' | 'secret'>): string {
  const last = secret?.split('/').at(-1) ?? kind;
  return last === kind ? kind : `${kind} ${last}`;
}
