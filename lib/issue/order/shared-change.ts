// TXT values of many certificates, written or removed together: one change of each hosted zone as a rule. Who is slow is
// waited for only so long, and each certificate goes on as soon as its own values are done.
import type { OnRecordDone, RecordOutcome, TxtValue } from '../../ports/dns.ts';
import { toError } from '../../ports/errors.ts';

/** How long those that are ready wait while nobody else becomes ready. */
const quietMs = 10_000;
/** The same once the run's time is up: then everybody else ends at once. */
const quietAtEndMs = 250;

/** What is done with the values of all. */
export type ChangeRecords = (values: readonly TxtValue[], onDone: OnRecordDone) => Promise<RecordOutcome>;

export interface SharedChangeOptions {
  /** How many certificates there are; each calls `bring` or `leave`, once. */
  readonly members: number;
  readonly change: ChangeRecords;
  /** How long the first that is ready waits for the others at most, in milliseconds. */
  readonly longestMs: number;
  /** The end of the work. */
  readonly signal: AbortSignal;
}

/** One certificate's values, and what is not known of them yet. */
interface Member {
  readonly values: readonly TxtValue[];
  readonly open: Set<string>;
  readonly failed: Map<string, Error>;
  readonly done: PromiseWithResolvers<ReadonlyMap<string, Error>>;
}

/** Changes in which many certificates share. */
export class SharedChange {
  readonly #change: ChangeRecords;
  readonly #longestMs: number;
  readonly #signal: AbortSignal;
  readonly #first = Promise.withResolvers<void>();
  #expected: number;
  #isBegun = false;
  #ready: Member[] = [];
  #quiet: NodeJS.Timeout | undefined;
  #longest: NodeJS.Timeout | undefined;

  constructor({ members, change, longestMs, signal }: SharedChangeOptions) {
    this.#expected = members;
    this.#change = change;
    this.#longestMs = longestMs;
    this.#signal = signal;
    signal.addEventListener('abort', this.#await, { once: true });
  }

  /** When the values of those that were ready first have all been changed, or nobody has any. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** Gives the names of these values that failed, with why, once all of them are done. Never rejects. */
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

  /** Says that a certificate has nothing to bring. */
  leave(): void {
    this.#expected -= 1;
    this.#await();
  }

  /** Begins to wait anew for those that are missing; where nobody is, nothing is waited for. */
  readonly #await = (): void => {
    clearTimeout(this.#quiet);
    if (this.#expected <= 0) {
      this.#signal.removeEventListener('abort', this.#await);
      this.#handOn();
    } else if (this.#ready.length > 0) {
      this.#quiet = setTimeout(this.#handOn, this.#signal.aborted ? quietAtEndMs : quietMs);
      this.#longest ??= setTimeout(this.#handOn, this.#longestMs);
    }
  };

  readonly #handOn = (): void => {
    clearTimeout(this.#quiet);
    clearTimeout(this.#longest);
    this.#longest = undefined;
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
