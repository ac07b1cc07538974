// Two writers in one zone, interleaved in every order: neither loses a value of the other.
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { TxtValue } from '../../lib/ports/dns.ts';
import type { Change, RecordSet } from '../sandbox/route53/change-batch.ts';
import type { HostedZone } from '../sandbox/route53/hosted-zone.ts';
import { type Setting, startSetting } from './harness.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await startSetting();
});
afterEach(() => setting.stop());

/** Somebody else at the same name: each step is one request of theirs, between two of ours. */
interface Writer {
  /** Their next request; one that is refused is made again later, as they all do. */
  step(): void;
  /** What they wrote and have not taken away, as it must be in the zone. */
  readonly owned: ReadonlyMap<string, number>;
}

/** cert-manager's way: a multivalue answer set for each value, made by UPSERT and taken away by DELETE,
 *  without reading. */
function multivalueWriter(zone: HostedZone, name: string, values: readonly string[]): Writer {
  const owned = new Map<string, number>();
  const todo = [...values, ...values.slice(0, -1)];
  return {
    owned,
    step() {
      const [value] = todo;
      if (value === undefined) return;
      const isThere = owned.has(value);
      const set = { ...simpleSet(name, 10, [value]), setIdentifier: value, multiValueAnswer: true };
      if (!carriedOut(zone, { action: isThere ? 'DELETE' : 'UPSERT', set })) return;
      todo.shift();
      if (isThere) owned.delete(value);
      else owned.set(value, 10);
    },
  };
}

/** lego's way: the set is read, and then all of it is written by UPSERT with the value added or left out, so
 *  that what we wrote in between is overwritten. */
function upsertWriter(zone: HostedZone, name: string, values: readonly string[]): Writer {
  const owned = new Map<string, number>();
  const todo = [...values, ...values.slice(0, -1)];
  let read: RecordSet | 'nothing' | undefined;
  return {
    owned,
    step() {
      const [value] = todo;
      if (value === undefined) return;
      if (read === undefined) {
        read = findSet(zone, name) ?? 'nothing';
        return;
      }
      const before = read === 'nothing' ? undefined : read;
      read = undefined;
      const others = (before?.values ?? []).filter((one) => one !== value);
      const isThere = owned.has(value);
      const ttl = before?.ttl ?? 300;
      const written = simpleSet(name, ttl, isThere ? others : [...others, value]);
      const change: Change =
        written.values.length === 0 && before
          ? { action: 'DELETE', set: before }
          : { action: 'UPSERT', set: written };
      if (!carriedOut(zone, change)) return;
      todo.shift();
      if (isThere) owned.delete(value);
      else owned.set(value, ttl);
    },
  };
}

/** Values of which some are hard to carry: quotation marks, backslashes, escapes, several strings, over 255
 *  bytes. */
const foreignValues = fc.uniqueArray(
  fc.constantFrom(
    '"plain"',
    '"with \\"quotes\\" and \\\\"',
    '"caf\\303\\251 \\000\\377"',
    `"${'x'.repeat(255)}" "${'y'.repeat(45)}"`,
    '"" "a" "b"',
  ),
  { minLength: 1, maxLength: 3 },
);
const ourValues = fc.uniqueArray(fc.constantFrom('one', 'two', 'three'), { minLength: 1 });
/** How many requests of theirs come before each of ours. */
const order = fc.array(fc.nat({ max: 3 }), { maxLength: 12 });

const kinds = { 'cert-manager': multivalueWriter, lego: upsertWriter };
test.each(
  Object.entries(kinds),
)('beside a writer such as %s nothing is lost on either side, and nothing of ours is left behind', async (_kind, makeWriter) => {
  let zones = 0;
  await fc.assert(
    fc.asyncProperty(foreignValues, ourValues, order, async (theirs, ours, steps) => {
      zones += 1;
      const zone = setting.route53.createZone(`z${zones}.example`);
      const name = `_acme-challenge.z${zones}.example`;
      const writer = makeWriter(zone, `${name}.`, theirs);
      const left = [...steps];
      const stop = setting.journal.before(({ principal }) => {
        if (principal !== 'issue') return;
        for (let n = left.shift() ?? 0; n > 0; n -= 1) writer.step();
        expectAllThere(zone, writer);
      });
      const values = ours.map((value): TxtValue => ({ name, value }));
      const records = setting.connect();
      // Asked again while somebody else's UPSERT may have been made from what was there before: that is
      // theirs to lose.
      for (let asked = 0; asked === 0 || !hasAll(zone, name, ours); asked += 1) {
        expect(asked).toBeLessThan(30);
        expect((await records.present(values, setting.signal)).failed).toEqual(new Map());
        expectAllThere(zone, writer);
      }
      left.push(...steps.toReversed());
      for (let asked = 0; asked === 0 || hasAny(zone, name, ours) || left.length > 0; asked += 1) {
        expect(asked).toBeLessThan(60);
        expect((await records.cleanUp(values, setting.signal)).failed).toEqual(new Map());
        expectAllThere(zone, writer);
      }
      stop();
      for (let n = 0; n < 20; n += 1) writer.step();
      await records.cleanUp(values, setting.signal);
      const remaining = setsAt(zone, name).flatMap(({ values: all, ttl }) =>
        all.map((value) => `${ttl} ${value}`),
      );
      const owned = Array.from(writer.owned, ([value, ttl]) => `${ttl} ${value}`);
      expect(remaining.toSorted()).toEqual(owned.toSorted());
    }),
    { numRuns: 40 },
  );
});

function simpleSet(name: string, ttl: number, values: readonly string[]): RecordSet {
  return { name, type: 'TXT', ttl, values };
}

/** Whether the double took the change, at once and for DNS too. */
function carriedOut(zone: HostedZone, change: Change): boolean {
  return 'insyncAt' in zone.change([change], 0);
}

function setsAt(zone: HostedZone, name: string): readonly RecordSet[] {
  return zone.list().filter((set) => set.type === 'TXT' && set.name === `${name.replace(/\.$/, '')}.`);
}

function findSet(zone: HostedZone, name: string): RecordSet | undefined {
  return setsAt(zone, name)[0];
}

function expectAllThere(zone: HostedZone, { owned }: Writer): void {
  const there = new Set(zone.list().flatMap(({ values }) => values));
  for (const value of owned.keys()) expect(there).toContain(value);
}

function hasAll(zone: HostedZone, name: string, values: readonly string[]): boolean {
  const there = new Set(setsAt(zone, name).flatMap((set) => set.values));
  return values.every((value) => there.has(`"${value}"`));
}

function hasAny(zone: HostedZone, name: string, values: readonly string[]): boolean {
  const there = new Set(setsAt(zone, name).flatMap((set) => set.values));
  return values.some((value) => there.has(`"${value}"`));
}
