// Polling: when it looks, how long it pauses, and how it ends.
import { expect, it } from 'vitest';
import { growing, poll } from '../../lib/async/poll.ts';
import { FakeClock } from '../fakes/clock.ts';

const epoch = '1970-01-01T00:00:00Z';
const never = new AbortController().signal;
const pauseMs = growing(250, 2, 1_500);

/** A look that counts, from 1. */
function counting(onLook: (count: number) => void = () => undefined): () => Promise<number> {
  let count = 0;
  return async () => {
    count += 1;
    onLook(count);
    return count;
  };
}

it('looks at once, then after pauses that grow up to the longest, until what it sees is as awaited', async () => {
  const clock = new FakeClock(epoch);
  expect(await poll(counting(), (count) => count === 6, { clock, signal: never, pauseMs })).toEqual({
    kind: 'done',
    seen: 6,
  });
  expect(clock.slept).toEqual([250, 500, 1_000, 1_500, 1_500]);
});

it('pauses before its first look if it is given what was seen before, and takes none if that is as awaited', async () => {
  const clock = new FakeClock(epoch);
  const options = { clock, signal: never, pauseMs, first: 7 };
  expect(await poll(counting(), (count) => count === 1, options)).toEqual({ kind: 'done', seen: 1 });
  expect(clock.slept).toEqual([250]);
  const looked: number[] = [];
  expect(
    await poll(
      counting((count) => looked.push(count)),
      (count) => count === 7,
      options,
    ),
  ).toEqual({
    kind: 'done',
    seen: 7,
  });
  expect([looked, clock.slept]).toEqual([[], [250]]);
});

it('is late from the instant given on, after one more look at least, and tells what it saw last', async () => {
  const clock = new FakeClock(epoch);
  const options = { clock, signal: never, pauseMs, untilMs: 700 };
  expect(await poll(counting(), () => false, options)).toEqual({ kind: 'late', seen: 3 });
  expect(await poll(counting(), () => false, options)).toEqual({ kind: 'late', seen: 1 });
  expect(await poll(counting(), () => true, options)).toEqual({ kind: 'done', seen: 1 });
});

it('lets the next pause follow from what was seen and how long it has waited', async () => {
  const clock = new FakeClock(epoch);
  const told: unknown[] = [];
  await poll(counting(), (count) => count === 3, {
    clock,
    signal: never,
    pauseMs: (progress) => {
      told.push(progress);
      return progress.seen * 10;
    },
  });
  expect(told).toEqual([
    { seen: 1, pauses: 0, lastPauseMs: undefined, waitedMs: 0 },
    { seen: 2, pauses: 1, lastPauseMs: 10, waitedMs: 10 },
  ]);
});

it('ends as aborted, never with an error, whether the signal is aborted before, in a pause or in a look', async () => {
  const clock = new FakeClock(epoch);
  const before = { clock, signal: AbortSignal.abort(), pauseMs };
  const look = counting();
  expect(await poll(look, () => true, before)).toEqual({ kind: 'aborted', seen: undefined });
  expect(await look()).toBe(1);
  expect(await poll(counting(), () => false, { ...before, first: 9 })).toEqual({ kind: 'aborted', seen: 9 });

  for (const failure of [undefined, new Error('cut off')]) {
    const ending = new AbortController();
    const cut = counting((count) => {
      if (count < 2) return;
      ending.abort();
      if (failure) throw failure;
    });
    expect(await poll(cut, () => false, { clock, signal: ending.signal, pauseMs })).toEqual({
      kind: 'aborted',
      seen: failure ? 1 : 2,
    });
  }
});

it('is done if its last look says so, although the signal was aborted meanwhile', async () => {
  const ending = new AbortController();
  const end = await poll(
    counting(() => ending.abort()),
    () => true,
    {
      clock: new FakeClock(epoch),
      signal: ending.signal,
      pauseMs,
    },
  );
  expect(end).toEqual({ kind: 'done', seen: 1 });
});

it('rejects with what a look throws, and looks no more', async () => {
  const look = counting((count) => {
    if (count === 2) throw new Error('denied');
  });
  await expect(
    poll(look, () => false, { clock: new FakeClock(epoch), signal: never, pauseMs }),
  ).rejects.toThrow('denied');
  expect(await look()).toBe(3);
});
