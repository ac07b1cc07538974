// Writes or removes the TXT values of many certificates together, as a rule in one change per hosted zone.
// Slow certificates delay the others only so long, and each certificate goes on as soon as its own values are
// done.
import type { Clock } from '../../ports/clock.ts';
import type { OnRecordDone, RecordOutcome, TxtValue } from '../../ports/dns.ts';
import { toError } from '../../ports/errors.ts';

/** How long ready certificates wait while no other one becomes ready, in milliseconds. */
const quietMs = 10_000;
/** The same once the run's time is up: all others end soon, too. */
const quietAtEndMs = 250;

/** Changes the values of all ready certificates. `onDone`: called for each name as soon as it is done. */
export type ChangeRecords = (values: readonly TxtValue[], onDone: OnRecordDone) => Promise<RecordOutcome>;

/** How a shared change waits for its members. */
export interface SharedChangeOptions {
  /** The number of certificates. Each calls `join` or `leave`, once. */
  readonly members: number;
  readonly change: ChangeRecords;
  /** The longest time that a ready certificate waits for the others, in milliseconds. */
  readonly longestMs: number;
  /** Ends the work: nobody waits for slow certificates any more. */
  readonly signal: AbortSignal;
  readonly clock: Pick<Clock, 'after'>;
}

/** One certificate's values, and the names that are still open. */
interface Member {
  readonly values: readonly TxtValue[];
  readonly open: Set<string>;
  readonly failed: Map<string, Error>;
  readonly done: PromiseWithResolvers<ReadonlyMap<string, Error>>;
}

/** A change of DNS that many certificates share. */
export class SharedChange {
  readonly #change: ChangeRecords;
  readonly #longestMs: number;
  readonly #signal: AbortSignal;
  readonly #clock: Pick<Clock, 'after'>;
  readonly #first = Promise.withResolvers<void>();
  #expected: number;
  #isBegun = false;
  #ready: Member[] = [];
  #stopQuiet: (() => void) | undefined;
  #stopLongest: (() => void) | undefined;

  constructor({ members, change, longestMs, signal, clock }: SharedChangeOptions) {
    this.#expected = members;
    this.#change = change;
    this.#longestMs = longestMs;
    this.#signal = signal;
    this.#clock = clock;
    signal.addEventListener('abort', this.#await, { once: true });
  }

  /** Resolves when the first change has ended, or no certificate has any values. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** Shares the change with these values. Resolves once all of them are done, with an error for each name
   *  that failed. Never rejects. */
  join(values: readonly TxtValue[]): Promise<ReadonlyMap<string, Error>> {
    if (values.length === 0) {
      this.leave();
      return Promise.resolve(new Map());
    }
    const done = Promise.withResolvers<ReadonlyMap<string, Error>>();
    const open = new Set(values.map(({ name }) => name));
    this.#ready.push({ values, open, failed: new Map(), done });
    this.leave();
    return done.promise;
  }

  /** Says that a certificate has no values. */
  leave(): void {
    this.#expected -= 1;
    this.#await();
  }

  /** Waits for the missing certificates, or begins at once if none is missing. */
  readonly #await = (): void => {
    this.#stopQuiet?.();
    if (this.#expected <= 0) {
      this.#signal.removeEventListener('abort', this.#await);
      this.#begin();
    } else if (this.#ready.length > 0) {
      this.#stopQuiet = this.#clock.after(this.#signal.aborted ? quietAtEndMs : quietMs, this.#begin);
      this.#stopLongest ??= this.#clock.after(this.#longestMs, this.#begin);
    }
  };

  readonly #begin = (): void => {
    this.#stopQuiet?.();
    this.#stopLongest?.();
    this.#stopLongest = undefined;
    const members = this.#ready;
    if (this.#isBegun && members.length === 0) return;
    this.#isBegun = true;
    this.#ready = [];
    void this.#carryOut(members).then(this.#first.resolve);
  };

  async #carryOut(members: readonly Member[]): Promise<void> {
    if (members.length === 0) return;
    const byName = new Map<string, Member[]>();
    for (const member of members)
      for (const name of member.open) byName.set(name, [...(byName.get(name) ?? []), member]);
    const finish: OnRecordDone = (name, error) => {
      for (const member of byName.get(name) ?? []) recordDone(member, name, error);
      byName.delete(name);
    };
    try {
      const { failed } = await this.#change(
        members.flatMap(({ values }) => values),
        finish,
      );
      for (const name of byName.keys()) finish(name, failed.get(name));
    } catch (cause) {
      const error = toError(cause);
      for (const name of byName.keys()) finish(name, error);
    }
  }
}

function recordDone({ open, failed, done }: Member, name: string, error: Error | undefined): void {
  open.delete(name);
  if (error) failed.set(name, error);
  if (open.size === 0) done.resolve(failed);
}
