// The TXT records of challenges, in memory.
import type { ChallengeRecords, OnRecordDone, TxtValue } from '../../lib/ports/dns.ts';
import { Failures } from './failures.ts';

/** TXT values in memory, each as `name value`. */
export class FakeRecords implements ChallengeRecords {
  readonly values = new Set<string>();
  readonly failed = new Map<string, Error>();
  /** By name: the end of a change that stays PENDING. */
  readonly slow = new Map<string, Promise<void>>();
  readonly failures = new Failures();
  presents = 0;
  cleanUps = 0;

  async present(values: readonly TxtValue[], _signal?: AbortSignal, onDone: OnRecordDone = () => undefined) {
    this.presents += 1;
    this.failures.check('present');
    const failed = new Map<string, Error>();
    await Promise.all(
      values.map(async ({ name, value }) => {
        const error = this.failed.get(name);
        if (error) failed.set(name, error);
        else this.values.add(`${name} ${value}`);
        await this.slow.get(name);
        onDone(name, error);
      }),
    );
    return { failed };
  }

  async removeLasting(names: readonly string[], isOurs: (text: string) => boolean) {
    this.failures.check('removeLasting');
    for (const kept of this.values) {
      const [name = '', ...rest] = kept.split(' ');
      if (names.includes(name) && isOurs(rest.join(' '))) this.values.delete(kept);
    }
    return { failed: new Map<string, Error>() };
  }

  async cleanUp(values: readonly TxtValue[], _signal?: AbortSignal, onDone: OnRecordDone = () => undefined) {
    this.cleanUps += 1;
    this.failures.check('cleanUp');
    // A value may be given by its beginning.
    for (const { name, value } of values)
      for (const kept of this.values) if (kept.startsWith(`${name} ${value}`)) this.values.delete(kept);
    for (const { name } of values) onDone(name);
    return { failed: new Map<string, Error>() };
  }
}
