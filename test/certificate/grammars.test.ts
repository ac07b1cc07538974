// The texts that many rooms read: addresses with ports, certificates' names, regions. One grammar each.

import { isIP } from 'node:net';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { awsRegionPattern } from '../../lib/certificate/aws-region.ts';
import { isCertificateName } from '../../lib/certificate/certificate-name.ts';
import { formatEndpoint, parseEndpoint } from '../../lib/certificate/endpoint.ts';

it.each([
  ['203.0.113.7', { address: '203.0.113.7' }],
  ['203.0.113.7:8443', { address: '203.0.113.7', port: 8443 }],
  ['2001:DB8::7', { address: '2001:db8::7' }],
  ['[2001:db8::7]:8443', { address: '2001:db8::7', port: 8443 }],
  ['::1', { address: '::1' }],
  ['::ffff:192.0.2.1', { address: '::ffff:192.0.2.1' }],
  ['0.0.0.0:1', { address: '0.0.0.0', port: 1 }],
  ['255.255.255.255:65535', { address: '255.255.255.255', port: 65_535 }],
])('%s is an address', (text, endpoint) => {
  expect(parseEndpoint(text)).toEqual(endpoint);
  expect(formatEndpoint(endpoint)).toBe(text.toLowerCase());
});

it.each([
  '',
  'shop.example.com',
  'shop.example.com:443',
  '203.0.113.256',
  '203.0.113.07',
  '203.0.113',
  '203.0.113.7:0',
  '203.0.113.7:65536',
  '203.0.113.7:',
  '[203.0.113.7]:443',
  '[2001:db8::7]',
  '2001:db8::7]:443',
  '1::2::3',
  'fe80::1%eth0',
  '0x7f.1',
  '203.0.113.7\n',
  '203.0.113.7 ',
])('%j is none', (text) => {
  expect(parseEndpoint(text)).toBeUndefined();
});

it('an address alone is one if Node says so, and whatever is written is read as the same', () => {
  const texts = fc.oneof(fc.ipV4(), fc.ipV6(), fc.string(), fc.stringMatching(/^[0-9a-f:.]{0,30}$/));
  fc.assert(
    fc.property(texts, (text) => {
      expect(parseEndpoint(text)?.port === undefined && parseEndpoint(text) !== undefined).toBe(
        isIP(text) > 0,
      );
    }),
  );
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), fc.integer({ min: 1, max: 65_535 }), (address, port) => {
      const endpoint = { address: address.toLowerCase(), port };
      expect(parseEndpoint(formatEndpoint(endpoint))).toEqual(endpoint);
    }),
  );
});

it.each([
  ['shop', true],
  ['0-shop-1', true],
  ['a'.repeat(63), true],
  ['a'.repeat(64), false],
  ['', false],
  ['-shop', false],
  ['shop-', false],
  ['Shop', false],
  ['shop.example', false],
  ['shop/x', false],
  ['shop\n', false],
])('%j as a certificate’s name: %s', (text, isName) => {
  expect(isCertificateName(text)).toBe(isName);
});

it.each([
  ['us-east-1', true],
  ['us-gov-west-1', true],
  ['us-iso-west-1', true],
  ['us-isob-east-1', true],
  ['us-isof-south-1', true],
  ['cn-northwest-1', true],
  ['eu-isoe-west-1', true],
  ['eusc-de-east-1', true],
  ['ap-southeast-7', true],
  ['us-east', false],
  ['us_east_1', false],
  ['US-EAST-1', false],
  ['us-east-1a', false],
  ['us-east-1.amazonaws.com', false],
])('%j as a region of AWS: %s', (text, isRegion) => {
  expect(awsRegionPattern.test(text)).toBe(isRegion);
});
