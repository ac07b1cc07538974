// Answers that are asked for once.

/** Keeps what was asked under each key for as long as it lives. A question that failed is asked again the next time. */
export class Memory<T> {
  readonly #answers = new Map<string, Promise<T>>();

  /** The answer under the key, from `ask` where nobody has asked yet. */
  recall(key: string, ask: () => Promise<T>): Promise<T> {
    const known = this.#answers.get(key);
    if (known) return known;
    const answer = ask();
    this.#answers.set(key, answer);
    answer.catch(() => this.#answers.delete(key));
    return answer;
  }

  /** The answer under the key; `undefined` where nobody has asked, or has got none. */
  async known(key: string): Promise<T | undefined> {
    return this.#answers.get(key)?.catch(() => undefined);
  }

  forget(key: string): void {
    this.#answers.delete(key);
  }
}

/** What `make` gives, made when it is first asked for; a failure is kept as well. */
export function onceOnly<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
