// Failures that a test sets in a fake.

/** Failures that a test sets: the next call of a method rejects, or every one until cleared. */
export class Failures {
  readonly #set = new Map<string, Error[]>();

  next(method: string, ...errors: readonly Error[]): void {
    this.#set.set(method, [...(this.#set.get(method) ?? []), ...errors]);
  }

  check(method: string): void {
    const error = this.#set.get(method)?.shift();
    if (error) throw error;
  }
}
