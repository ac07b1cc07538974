// How many changes of a zone a dry run promises.
import { expect, test } from 'vitest';
import { predictCalls } from '../../lib/policy/issuance/prediction.ts';

const order = (directory: string, ...zones: readonly string[]) => {
  return { directory, zones, isNew: true, resumes: false };
};

test.each([
  ['one CA and one zone', [order('a', 'x'), order('a', 'x')], 2],
  ['one CA and two zones', [order('a', 'x'), order('a', 'y')], 4],
  ['two CAs in one zone, which share no change', [order('a', 'x'), order('b', 'x'), order('a', 'x')], 4],
  ['more than a wave at one CA', [order('a', 'x'), order('a', 'x'), order('a', 'x')], 4],
])('a dry run promises the changes of a zone for %s', (_what, orders, changes) => {
  expect(predictCalls(orders, 2)).toMatchObject({ ChangeResourceRecordSets: changes });
});
