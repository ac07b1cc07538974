// Answers that are fetched once: who shares them, for how long, and what becomes of failures.
import { expect, it } from 'vitest';
import { keepFailures, once, PromiseCache } from '../../lib/async/promise-cache.ts';

/** Questions that stay open until the test answers them. */
class Asked {
  readonly open: PromiseWithResolvers<string>[] = [];

  readonly ask = (): Promise<string> => {
    const question = Promise.withResolvers<string>();
    this.open.push(question);
    return question.promise;
  };
}

it('gives all who ask under a key the same answer, while it is under way and afterwards, and none of another key', async () => {
  const [cache, asked] = [new PromiseCache<string>(), new Asked()];
  const both = [cache.get('a', asked.ask), cache.get('a', asked.ask)];
  const other = cache.get('b', asked.ask);
  expect(asked.open).toHaveLength(2);
  asked.open[0]?.resolve('one');
  asked.open[1]?.resolve('two');
  expect(await Promise.all([...both, other, cache.get('a', asked.ask)])).toEqual([
    'one',
    'one',
    'two',
    'one',
  ]);
  expect(asked.open).toHaveLength(2);
});

it('asks again once an answer is no longer fresh, and once only, however many find it so', async () => {
  let now = 0;
  let count = 0;
  const cache = new PromiseCache<number>({ isFresh: (until) => now < until });
  const ask = async () => {
    count += 1;
    return now + 10;
  };
  expect(await cache.get('token', ask)).toBe(10);
  now = 9;
  expect(await cache.get('token', ask)).toBe(10);
  now = 10;
  expect(cache.known('token')).toBeUndefined();
  expect(await Promise.all([cache.get('token', ask), cache.get('token', ask)])).toEqual([20, 20]);
  expect(count).toBe(2);
});

it('forgets a failure as soon as it is there, but for those it is to keep', async () => {
  const cache = new PromiseCache<string>({ keepsFailure: (error) => String(error).includes('denied') });
  const fail = (message: string) => async () => {
    throw new Error(message);
  };
  await expect(cache.get('a', fail('late'))).rejects.toThrow('late');
  await expect(cache.get('a', fail('denied'))).rejects.toThrow('denied');
  await expect(cache.get('a', async () => 'there')).rejects.toThrow('denied');
  cache.forget('a');
  expect(await cache.get('a', async () => 'there')).toBe('there');
});

it('keeps what came later when the answer before it fails late', async () => {
  const [cache, asked] = [new PromiseCache<string>(), new Asked()];
  const before = cache.get('list', asked.ask);
  const after = cache.renew('list', asked.ask);
  asked.open[0]?.reject(new Error('cut off'));
  await expect(before).rejects.toThrow('cut off');
  asked.open[1]?.resolve('anew');
  expect(await Promise.all([after, cache.get('list', asked.ask), ...cache.all()])).toEqual([
    'anew',
    'anew',
    'anew',
  ]);
});

it('does once what is asked for without a key, with what the first call gave, again after a failure or never', async () => {
  const given: number[] = [];
  const note = async (value: number) => {
    given.push(value);
    if (value === 1) throw new Error('not yet');
    return value;
  };
  const patient = once(note);
  await expect(patient(1)).rejects.toThrow('not yet');
  expect([await patient(2), await patient(3)]).toEqual([2, 2]);
  const final = once(note, keepFailures);
  await expect(final(1)).rejects.toThrow('not yet');
  await expect(final(4)).rejects.toThrow('not yet');
  expect(given).toEqual([1, 2, 1]);
});
