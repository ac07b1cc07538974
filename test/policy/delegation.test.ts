// Where a challenge's value goes, and the CNAME that delegates it.
import { expect, test } from 'vitest';
import { parseName } from '../../lib/certificate/name-parsing.ts';
import { challengeName } from '../../lib/certificate/names.ts';
import { challengeRecordName, delegatingRecord } from '../../lib/policy/dns/delegation.ts';

const name = '_acme-challenge.shop.example.com';

test.each([
  [name, name],
  ['_acme-challenge.other.example.net', '_acme-challenge.other.example.net'],
  ['www.example.com', name],
  ['_acme-challenges.example.com', name],
])('a chain that ends at %s puts the value at %s', (end, place) => {
  expect(challengeRecordName(name, end)).toBe(place);
});

test('the CNAME to create is one line of a zone file', () => {
  expect(delegatingRecord('_acme-challenge.shop.customer.com', 'acme.example.com')).toBe(
    '_acme-challenge.shop.customer.com. CNAME _acme-challenge.shop-customer-com.acme.example.com.',
  );
});

test.each([
  63, 64, 200,
])('its target is a DNS name for a domain of %i characters, and a different one for each', (length) => {
  const domainOf = (last: string) => {
    const labels = Array.from({ length: 60 }, () => 'abc')
      .join('.')
      .slice(0, length - 5);
    return `${labels.replace(/\.$/, 'x')}${last}.com`;
  };
  const targets = ['a', 'b'].map((last) => {
    const record = delegatingRecord(challengeName(domainOf(last)), 'acme.example.com');
    return record.replace(/^.* CNAME _acme-challenge\.(.*)\.$/, '$1');
  });
  for (const target of targets) expect(parseName(target)).toEqual({ name: target });
  expect(new Set(targets).size).toBe(2);
});
