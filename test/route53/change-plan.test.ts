// Which changes are made at a name, and how many fit into a batch.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { planAddition, planRemoval, splitIntoBatches } from '../../lib/adapters/route53/change-plan.ts';
import { create, txt } from './harness.ts';

const name = '_acme-challenge.example.com';

describe('batches of changes', () => {
  const values = (count: number, length: number) =>
    Array.from({ length: count }, (_, n) => String(n).padStart(length, 'x'));
  const plansFor = (names: number, perName: number, length: number) =>
    Array.from({ length: names }, (_, n) => planAddition(`n${n}.example.com`, [], values(perName, length)));
  // Quotation marks count as characters.
  const cases: readonly [string, ReturnType<typeof plansFor>, readonly number[]][] = [
    ['1000 records are one batch', plansFor(100, 10, 8), [100]],
    ['1010 records are two', plansFor(101, 10, 8), [100, 1]],
    ['32 000 characters are one batch', plansFor(160, 1, 198), [160]],
    ['32 200 characters are two', plansFor(161, 1, 198), [160, 1]],
    ['a name too large for any batch stands alone', [...plansFor(1, 1001, 8), ...plansFor(1, 1, 8)], [1, 1]],
    ['nothing to do is no batch', [], []],
  ];
  test.each(cases)('%s', (_title, plans, sizes) => {
    expect(splitIntoBatches(plans).map((batch) => batch.length)).toEqual(sizes);
  });

  test('a replacement counts twice: what is deleted and what is created', () => {
    const plans = Array.from({ length: 101 }, (_, n) =>
      planAddition(
        `n${n}.example.com`,
        [txt(`n${n}.example.com.`, 60, ...values(4, 8).map((v) => `"${v}"`))],
        ['new'],
      ),
    );
    // 4 deleted and 5 created at each name: 111 names would fit by what is created alone.
    expect(splitIntoBatches(plans.concat(plans)).map((batch) => batch.length)).toEqual([111, 91]);
  });
});

describe('a plan for one name', () => {
  test('an alias or a set with a routing policy is refused, with what to do', () => {
    const weighted = { ...txt(`${name}.`, 60, '"a"'), SetIdentifier: 'one', Weight: 1 };
    const alias = {
      Name: `${name}.`,
      Type: 'TXT' as const,
      AliasTarget: { HostedZoneId: 'Z', DNSName: 'x', EvaluateTargetHealth: false },
    };
    for (const set of [weighted, alias]) {
      expect(planAddition(name, [set], ['v']).refusal).toContain('make it a simple record set');
      expect(planRemoval(name, [set], ['v'])).toEqual({ name, changes: [] });
    }
  });

  test('adding and then removing leaves every foreign set as it was', () => {
    const foreign = fc.uniqueArray(fc.constantFrom('"a"', '"b" "c"', '"\\"q\\""', '"\\303\\251"', '"bc"'));
    const ours = fc.uniqueArray(fc.constantFrom('v1', 'v2', 'v3'), { minLength: 1 });
    fc.assert(
      fc.property(foreign, ours, fc.integer({ min: 0, max: 3600 }), (others, values, ttl) => {
        const before = others.length === 0 ? [] : [txt(`${name}.`, ttl, ...others)];
        const added = planAddition(name, before, values).changes.at(-1)?.ResourceRecordSet;
        if (!added) throw new Error('nothing was added');
        const after = planRemoval(name, [added], values).changes;
        expect(after[0]).toEqual({ Action: 'DELETE', ResourceRecordSet: added });
        expect(after.slice(1)).toEqual(before.map(create));
      }),
    );
  });

  test('takes away what begins with a mark of ours, as far as it can be a DNS-01 value at all', () => {
    const value = (start: string) => start.padEnd(43, 'x');
    const others = [value('ours-12'), `${value('ours-123')}x`, 'ours-1234', value('OURS-123')];
    const set = txt(`${name}.`, 60, ...[value('ours-123'), ...others].map((text) => `"${text}"`));
    const [, kept] = planRemoval(name, [set], ['ours-123']).changes;
    expect(kept?.ResourceRecordSet?.ResourceRecords?.map(({ Value }) => Value)).toEqual(
      others.map((text) => `"${text}"`),
    );
  });
});
