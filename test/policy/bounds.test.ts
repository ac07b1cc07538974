// How much answers hold: what fits, the worst first, and the number of the rest.
import { expect, test } from 'vitest';
import { listWorst } from '../../lib/deploy/record/record.ts';
import { describeUnreadable, makeReport } from '../../lib/issue/report.ts';
import { listSome, nameSome, takeFitting } from '../../lib/policy/bounds.ts';

/** What Lambda sends of a function's answer. */
const mostBytes = 6 * 1024 * 1024;
const bytesOf = (value: object) => Buffer.byteLength(JSON.stringify(value));

test.each([
  [['a', 'b'], 2, 'a, b', ['a', 'b']],
  [['a', 'b', 'c'], 2, 'a, b and 1 more', ['a', 'b', 'and 1 more']],
  [[], 2, '', []],
])('of %j the first %i are named', (names, most, text, list) => {
  expect(nameSome(names, most)).toBe(text);
  expect(listSome(names, most)).toEqual(list);
});

test('what fits is taken from the beginning, counted in bytes', () => {
  const list = ['ää', 'ää', 'ää'];
  expect(takeFitting(list, 21)).toEqual(list);
  expect(takeFitting(list, 20)).toEqual(['ää', 'ää']);
  expect(takeFitting(list, 3)).toEqual([]);
});

test('reports of deploy and issue fit into an answer, however long their lines are', () => {
  const message = 'ü'.repeat(2_000);
  const reports = Array.from({ length: 1_500 }, (_, index) => ({
    name: `shop-${index}`,
    decision: index === 1_400 ? ('refused' as const) : ('unchanged' as const),
    message,
    targets: [{ certificate: 'a', target: 'b', outcome: 'unchanged' as const, restarted: [], message }],
  }));
  const listed = listWorst(reports);
  expect(bytesOf(listed)).toBeLessThan(mostBytes);
  expect(listed.certificates[0]?.name).toBe('shop-1400');
  expect(listed.certificates.length + (listed.omitted ?? 0)).toBe(reports.length);
  const unknown = reports.map(({ name }) => describeUnreadable({ name, error: new Error(message) }));
  const issued = makeReport(unknown);
  expect(makeReport(unknown.slice(0, 10))).not.toHaveProperty('omitted');
  const many = makeReport([...unknown, ...unknown]);
  expect(bytesOf(many)).toBeLessThan(mostBytes);
  expect(many.certificates.length + (many.omitted ?? 0)).toBe(3_000);
  expect(many.summary).toEqual({ certificates: 3_000, failed: 3_000 });
  expect(issued.summary).toEqual({ certificates: 1_500, failed: 1_500 });
});
