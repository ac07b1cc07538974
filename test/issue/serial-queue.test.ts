// One order after another, and no order that keeps all others waiting.
import { expect, it } from 'vitest';
import { SerialQueue } from '../../lib/issue/order/serial-queue.ts';
import { FakeClock } from '../fakes/clock.ts';

const now = '2026-11-22T10:00:00Z';

/** Works that end when the test says so, and what happened in which order. */
function begin(queue: SerialQueue, names: readonly string[]) {
  const events: string[] = [];
  const works = names.map((name) => {
    const end = Promise.withResolvers<void>();
    const done = queue.run(async () => {
      events.push(`${name} begun`);
      await end.promise;
      events.push(`${name} ended`);
    });
    return { end, done: done.catch(() => undefined) };
  });
  return { events, works };
}

it('work begins when the one before has ended, in the order of asking, also after a failure', async () => {
  const { events, works } = begin(new SerialQueue(new FakeClock(now)), ['one', 'two', 'three']);
  const [one, two, three] = works;
  two?.end.resolve();
  three?.end.resolve();
  one?.end.reject(new Error('the CA is gone'));
  await three?.done;
  expect(events).toEqual(['one begun', 'two begun', 'two ended', 'three begun', 'three ended']);
});

it('work that takes its time holds up the next for as long as it may, which begins with the work', async () => {
  const clock = new FakeClock(now);
  const { events, works } = begin(new SerialQueue(clock, 200), ['one', 'two', 'three']);
  const letPass = async (ms: number) => {
    clock.pass(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  await letPass(199);
  expect(events).toEqual(['one begun']);
  await letPass(1);
  await letPass(199);
  expect(events).toEqual(['one begun', 'two begun']);
  for (const { end } of works) end.resolve();
  await works[2]?.done;
  expect(events.slice(2)).toEqual(['one ended', 'two ended', 'three begun', 'three ended']);
});
