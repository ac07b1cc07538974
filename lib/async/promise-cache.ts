// Answers that many ask for and that are fetched once.

/** Which answers a cache gives again. */
export interface CacheRules<T> {
  /** Whether an answer that has come may be given again; absent: always. */
  readonly isFresh?: (answer: T) => boolean;
  /** Whether a failure is given again; absent: never, the next caller asks anew. */
  readonly keepsFailure?: (error: unknown) => boolean;
}

/** Each question is asked once, even if it fails. */
export const keepFailures: CacheRules<unknown> = { keepsFailure: () => true };

interface Entry<T> {
  readonly answer: Promise<T>;
  /** Set once the answer has come. */
  come?: { readonly value: T };
}

/** Promises by key: callers that ask under the same key share one. */
export class PromiseCache<T> {
  readonly #rules: CacheRules<T>;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(rules: CacheRules<T> = {}) {
    this.#rules = rules;
  }

  /** The answer under the key: the one under way or kept, else what `ask` gives. */
  get(key: string, ask: () => Promise<T>): Promise<T> {
    return this.known(key) ?? this.renew(key, ask);
  }

  /** Asks anew, and gives that answer to all who come later. */
  renew(key: string, ask: () => Promise<T>): Promise<T> {
    const entry: Entry<T> = { answer: ask() };
    this.#entries.set(key, entry);
    entry.answer.then(
      (value) => {
        entry.come = { value };
      },
      (error: unknown) => {
        if (this.#entries.get(key) === entry && !this.#rules.keepsFailure?.(error)) this.#entries.delete(key);
      },
    );
    return entry.answer;
  }

  /** The answer under way or kept; `undefined` if nobody has asked, or what is kept is no longer fresh. */
  known(key: string): Promise<T> | undefined {
    const entry = this.#entries.get(key);
    const isStale = entry?.come !== undefined && this.#rules.isFresh?.(entry.come.value) === false;
    return isStale ? undefined : entry?.answer;
  }

  /** Every answer under way or kept, fresh or not. */
  all(): readonly Promise<T>[] {
    return Array.from(this.#entries.values(), ({ answer }) => answer);
  }

  /** The next caller under the key asks anew. */
  forget(key: string): void {
    this.#entries.delete(key);
  }
}

/** Asks once, with the arguments of the first call, and gives the same answer to every later call. */
export function once<T, Arguments extends readonly unknown[]>(
  ask: (...given: Arguments) => Promise<T>,
  rules?: CacheRules<T>,
): (...given: Arguments) => Promise<T> {
  const cache = new PromiseCache<T>(rules);
  return (...given) => cache.get('', () => ask(...given));
}
