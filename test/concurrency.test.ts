// Slots: how many works run at once, whose turn is next, and what becomes of one that takes its time.
import { expect, it } from 'vitest';
import { Slots } from '../lib/async/map-concurrently.ts';
import { FakeClock } from './fakes/clock.ts';

it('owners take turns, however much one of them has to do, and a work that fails gives its slot back', async () => {
  const slots = new Slots(1);
  const begun: string[] = [];
  const works = ['a1', 'a2', 'a3', 'a4', 'b1', 'b2', 'c1'].map((name) =>
    slots
      .use(
        async () => {
          begun.push(name);
          if (name === 'a2') throw new Error('it failed');
        },
        { owner: name.charAt(0) },
      )
      .catch(() => undefined),
  );
  await Promise.all(works);
  expect(begun).toEqual(['a1', 'a2', 'b1', 'c1', 'a3', 'b2', 'a4']);
});

it('no more works run at once than there are slots', async () => {
  const slots = new Slots(2);
  let [running, most] = [0, 0];
  const works = Array.from({ length: 9 }, () =>
    slots.use(async () => {
      running += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
    }),
  );
  await Promise.all(works);
  expect(most).toBe(2);
});

it('one owner has no more than its share, though slots are free', async () => {
  const slots = new Slots(4, 2);
  const begun: string[] = [];
  const end = Promise.withResolvers<void>();
  const works = ['a1', 'a2', 'a3', 'b1', 'b2', 'b3'].map((name) =>
    slots.use(
      async () => {
        begun.push(name);
        await end.promise;
      },
      { owner: name.charAt(0) },
    ),
  );
  await new Promise((resolve) => setImmediate(resolve));
  expect(begun).toEqual(['a1', 'a2', 'b1', 'b2']);
  end.resolve();
  await Promise.all(works);
  expect(begun).toHaveLength(6);
});

it('a work that has used up its time goes on without its slot', async () => {
  const clock = new FakeClock('2026-11-22T10:00:00Z');
  const slots = new Slots(1);
  const begun: string[] = [];
  const end = Promise.withResolvers<void>();
  const use = (name: string) =>
    slots.use(
      async () => {
        begun.push(name);
        await end.promise;
      },
      { timeout: { ms: 1_000, clock } },
    );
  const letPass = async (ms: number) => {
    clock.pass(ms);
    await new Promise((resolve) => setImmediate(resolve));
  };
  const works = [use('one'), use('two'), use('three')];
  await letPass(999);
  expect(begun).toEqual(['one']);
  await letPass(1);
  expect(begun).toEqual(['one', 'two']);
  end.resolve();
  await Promise.all(works);
  expect(begun).toEqual(['one', 'two', 'three']);
});
