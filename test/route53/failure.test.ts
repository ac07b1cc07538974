// What is told of a call to Route 53 that failed: our words, and nothing of an answer that cannot be read.
import { afterEach, beforeEach, expect, test } from 'vitest';
import { describeError } from '../../lib/ports/errors.ts';
import { type Setting, startSetting } from './harness.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await startSetting();
});
afterEach(() => setting.stop());

test('an answer that is not XML is told in our words alone', async () => {
  setting.route53.createZone('example.com');
  setting.faults.set('route53', 'ListHostedZones', { kind: 'malformed' }, 9);
  const record = { name: '_acme-challenge.example.com', value: 'v' };
  const { failed } = await setting.connect().present([record], setting.signal);
  const told = describeError(failed.get(record.name));
  expect(told).toContain('AWS answered route53:ListHostedZones with something that is not XML');
  expect(told).not.toMatch(/Deserialization|\$response|<<</);
});
