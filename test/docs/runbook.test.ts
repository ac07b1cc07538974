// The runbook has a row for each reason that `status` can give.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { current, healthReasons } from '../../lib/policy/health/reasons.ts';

test('each reason has its row in the runbook, and the runbook has no other', () => {
  const page = readFileSync(new URL('../../docs/operating/health.md', import.meta.url), 'utf8');
  const tables = page.slice(page.indexOf('## The runbook'), page.indexOf('## I know'));
  const rows = tables.split('\n').filter((line) => line.startsWith('| `'));
  const named = rows.flatMap((row) => (row.split('|')[1] ?? '').match(/\w+/g) ?? []);
  expect(named.toSorted()).toEqual(healthReasons.filter((reason) => reason !== current).toSorted());
});
