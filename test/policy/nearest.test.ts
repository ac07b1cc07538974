// Which name was probably meant.
import { expect, test } from 'vitest';
import { findNearest } from '../../lib/policy/nearest.ts';

const known = ['shop', 'shop-edge', 'blog', 'lab-shop-shop-tls-74cbb6d9', 'a', 'mail-eu', 'mail-us'];

test.each([
  ['shpo', 'shop'],
  ['sho', 'shop'],
  ['shopp', 'shop'],
  ['SHOP', 'shop'],
  ['shop-egde', 'shop-edge'],
  ['lab-shop-shop-tls-74cbb6d8', 'lab-shop-shop-tls-74cbb6d9'],
  ['lab-shop', 'lab-shop-shop-tls-74cbb6d9'],
  ['mail-ue', 'mail-eu'],
  ['mail-xx', 'mail-eu'],
  ['zzzz', undefined],
  ['shxx', undefined],
  ['', 'a'],
  ['s'.repeat(5_000), undefined],
])('of the names that there are, %j is nearest to %j', (written, nearest) => {
  expect(findNearest(written, known)).toBe(nearest);
});
