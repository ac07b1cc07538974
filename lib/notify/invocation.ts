// What a call of notify works with.
import type { NoticeChannel } from '../certificate/notice-spec.ts';
import type { Clock } from '../ports/clock.ts';
import type { InstallationStore } from '../ports/installation.ts';
import type { Log } from '../ports/log.ts';
import type { DeliveryQueue, PostNotice } from '../ports/notices.ts';

/** The ports for notices. */
export interface NotifyPorts {
  readonly post: PostNotice;
  readonly queue: DeliveryQueue;
  readonly installation: Pick<InstallationStore, 'read' | 'recordChannels' | 'recordIncidents'>;
  readonly clock: Clock;
  readonly log: Log;
  /** A number from 0 to 1. */
  readonly random: () => number;
}

/** One call of `notify`. */
export interface NotifyInvocation {
  /** Identifies it in the log and in messages. */
  readonly id: string;
  readonly channels: readonly NoticeChannel[];
  /** Ends the tries. */
  readonly signal: AbortSignal;
  /** Ends what is written down afterwards. */
  readonly cleanUpSignal: AbortSignal;
}
