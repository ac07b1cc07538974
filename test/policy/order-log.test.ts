// The line that remembers orders: read back as written, bounded, and never in the way.

import fc from 'fast-check';
import { expect, it } from 'vitest';
import { addOrder } from '../../lib/policy/issuance/order-log.ts';
import type { OrderLog } from '../../lib/state/orders.ts';
import { stateOfTags, throughTags } from '../fakes/tags.ts';

const order = {
  directory: 'https://ca.example/directory',
  registeredDomains: ['example.com', 'example.org'],
};
const now = new Date('2026-11-22T10:00:00Z');
const ago = (hours: number) => new Date(now.getTime() - hours * 3_600_000);

it('gives back the orders that were added, oldest first', () => {
  const orders = addOrder(addOrder(undefined, order, ago(5)), order, now);
  expect(throughTags({ orders })).toEqual({ orders: { ...order, times: [ago(5), now] } });
});

it('forgets what is a week old, and not what is younger', () => {
  const line = addOrder(addOrder(addOrder(undefined, order, ago(168)), order, ago(167.9)), order, now);
  expect(line.times).toEqual([ago(167.9), now]);
});

it('forgets the orders at another CA', () => {
  const line = addOrder(
    addOrder(undefined, { ...order, directory: 'https://other.example/' }, ago(1)),
    order,
    now,
  );
  expect(line.times).toEqual([now]);
});

it('holds the last twenty', () => {
  let line: OrderLog | undefined;
  for (let minute = 40; minute >= 0; minute -= 1) line = addOrder(line, order, ago(minute / 60));
  expect(line?.times).toHaveLength(20);
  expect(line?.times.at(-1)).toEqual(now);
});

it('reads any text without harm', () => {
  fc.assert(
    fc.property(fc.string(), (text) => {
      const times = stateOfTags({ orders: text }).orders?.times ?? [];
      expect(times.every((time) => !Number.isNaN(time.getTime()))).toBe(true);
    }),
  );
});
