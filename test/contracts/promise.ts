// One promise of a contract, held against a part that keeps it, or that is known by name not to.
import { expect, test } from 'vitest';

export type Promises = (title: string, body: () => Promise<void>) => void;

/** @param weaker Titles of the promises that this part breaks: there the same body must fail, so that the
 *  list shrinks when the part learns. */
export function promisesOf(weaker: ReadonlySet<string>): Promises {
  return (title, body) => {
    if (!weaker.has(title)) return test(title, body);
    test(`not kept by this part: ${title}`, () => expect(body()).rejects.toThrow());
  };
}
