// Which addresses that somebody writes into DNS are looked at.
import { expect, test } from 'vitest';
import { isPublicAddress } from '../../lib/adapters/dns/public-addresses.ts';

test.each([
  ['203.0.113.7', true],
  ['9.255.255.255', true],
  ['10.0.0.0', false],
  ['10.255.255.255', false],
  ['11.0.0.0', true],
  ['0.0.0.0', false],
  ['100.64.0.1', false],
  ['100.128.0.1', true],
  ['127.0.0.1', false],
  ['169.254.169.254', false],
  ['169.254.170.2', false],
  ['172.15.255.255', true],
  ['172.16.0.1', false],
  ['172.31.255.255', false],
  ['172.32.0.0', true],
  ['192.168.1.1', false],
  ['192.169.0.0', true],
  ['223.255.255.255', true],
  ['224.0.0.1', false],
  ['255.255.255.255', false],
  ['2606:4700::1', true],
  ['::', false],
  ['::1', false],
  ['fe80::1', false],
  ['fd00:ec2::254', false],
  ['ff02::1', false],
  ['::ffff:127.0.0.1', false],
  ['::ffff:203.0.113.7', false],
  ['64:ff9b::7f00:1', false],
  ['2001:0:7f00:1::', false],
  ['2001:1::1', true],
  ['2002:7f00:1::', false],
  ['localhost', false],
  ['', false],
])('%s may be looked at: %s', (address, expected) => {
  expect(isPublicAddress(address)).toBe(expected);
});
