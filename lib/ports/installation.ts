// Port to the record of the installation itself. Each comment is part of the contract.
import type { FailingChannel, ToldIncident } from '../state/channels.ts';

/** What is stored about the installation as a whole. */
export interface InstallationRecord {
  /** First run of a version that keeps this record. */
  readonly firstRun: Date;
  /** Whether an earlier version had stored certificates before `firstRun`. */
  readonly isUpgraded: boolean;
  /** End of the last full run of `issue`. `open`: none has ended since `firstRun`. Absent: unknown, because
   *  the tag was emptied or cannot be read. */
  readonly lastPass?: Date | 'open' | undefined;
  /** Values stored up to this instant have been compared with their tags. */
  readonly comparedUntil?: Date | undefined;
  /** Notice channels that cannot be reached. Absent: all work, as far as `notify` has tried. */
  readonly failingChannels?: readonly FailingChannel[] | undefined;
  /** Incidents that channels were told to open or to close of late, 60 at most. */
  readonly toldIncidents?: readonly ToldIncident[] | undefined;
}

/** The AWS secret `<prefix>/installation`. Every method may be called twice. */
export interface InstallationStore {
  /** The record; `undefined` if there is none yet, also where another function has made the AWS secret. */
  read(signal: AbortSignal): Promise<InstallationRecord | undefined>;
  /** Creates the record with `lastPass` = `open`. Changes nothing if it exists; an AWS secret that another
   *  function has made keeps its value. */
  create(record: Pick<InstallationRecord, 'firstRun' | 'isUpgraded'>, signal: AbortSignal): Promise<void>;
  /** Records the end of a full run of `issue`, and up to when it compared values with tags. */
  recordPass(
    pass: { readonly endedAt: Date; readonly comparedUntil: Date },
    signal: AbortSignal,
  ): Promise<void>;
  /** Records the notice channels that cannot be reached, all of them; none: an empty list. */
  recordChannels(channels: readonly FailingChannel[], signal: AbortSignal): Promise<void>;
  /** Records the incidents that channels were told to open or to close, all that are remembered. */
  recordIncidents(told: readonly ToldIncident[], signal: AbortSignal): Promise<void>;
}
