// The socket to what is known of the installation itself; each comment is part of the contract.

/** What is known of the installation itself, and belongs to no certificate. */
export interface InstallationRecord {
  /** When a version that keeps this record first ran here. */
  readonly firstRun: Date;
  /** Whether certificates were stored before that, by an earlier version. */
  readonly isUpgraded: boolean;
  /** `open`: no full pass of `issue` has ended since `firstRun`. Then the end of the last one; absent where
   *  nobody can tell. */
  readonly lastPass?: Date | 'open' | undefined;
  /** Until when values have been held against their tags. */
  readonly comparedUntil?: Date | undefined;
}

/** The AWS secret `<prefix>/installation`. Every method may be called twice. */
export interface InstallationStore {
  /** `undefined` where there is none yet. */
  read(signal: AbortSignal): Promise<InstallationRecord | undefined>;
  /** Makes it, with `lastPass` open; where it is there already nothing changes. */
  create(record: Pick<InstallationRecord, 'firstRun' | 'isUpgraded'>, signal: AbortSignal): Promise<void>;
  /** Notes the end of a full pass of `issue`, and until when that pass held values against tags. */
  recordPass(
    pass: { readonly endedAt: Date; readonly comparedUntil: Date },
    signal: AbortSignal,
  ): Promise<void>;
}
