import { expect, test } from 'vitest';
import { resumes } from '../../lib/policy/issuance/resume.ts';

const order = 'https://ca.example/order/1';

test.each([
  ['a claim whose order is known', { version: 'v' }, { order }, true],
  ['a claim of a run that ended before it had an order', { version: 'v' }, {}, false],
  ['an order that nobody claims', undefined, { order }, false],
  ['neither', undefined, undefined, false],
])('%s: resumed %s', (_, claim, state, expected) => {
  expect(resumes(claim, state)).toBe(expected);
});
