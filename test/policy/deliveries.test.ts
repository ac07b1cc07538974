import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type DeliveryStep,
  formatDeliveries,
  parseDeliveries,
  targetsKey,
} from '../../lib/state/deliveries.ts';
import { targetOf } from '../minting/targets.ts';

const target = targetOf();
const targets = [target, { ...target, cluster: 'prod' }, { ...target, secret: 'other' }];
const version = '4b3f5c1e-0000-4000-8000-000000000001';

test('one letter per target tells how far the version has come', () => {
  const text = formatDeliveries(version, targets, ['rolled-out', 'none', 'applied']);
  expect(text).toMatch(new RegExp(`^${version}/[0-9a-f]{8}/r-a$`));
  expect(parseDeliveries(text, version, targets)).toEqual(['rolled-out', 'none', 'applied']);
});

test('what is written is read back, for any steps and hundreds of targets', () => {
  const step = fc.constantFrom<DeliveryStep>('none', 'applied', 'rolled-out');
  const steps = fc.array(step, { maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(steps, (delivered) => {
      const many = delivered.map((_, index) => ({ ...target, secret: `s${index}` }));
      expect(parseDeliveries(formatDeliveries(version, many, delivered), version, many)).toEqual(delivered);
    }),
  );
});

test('the key of some targets is theirs in any order, and no others’', () => {
  expect(targetsKey(targets.toReversed())).toBe(targetsKey(targets));
  const others = [
    targets.slice(1),
    targets.map((one) => ({ ...one, namespace: 'api' })),
    targets.map((one) => ({ ...one, restart: 'none' as const })),
  ];
  expect(new Set([targets, ...others].map(targetsKey)).size).toBe(4);
  // What the operator allows a target is no other target.
  expect(targetsKey(targets.map((one) => ({ ...one, adopt: true, replace: true })))).toBe(
    targetsKey(targets),
  );
});

describe('nothing counts as delivered', () => {
  const text = formatDeliveries(version, targets, ['rolled-out', 'rolled-out', 'rolled-out']);
  const workloads = [{ kind: 'Deployment', name: 'web' }] as const;

  test.each([
    ['without text', undefined, version, targets],
    ['for another version', text, 'another', targets],
    ['for targets in another order', text, version, targets.toReversed()],
    ['for a target less', text, version, targets.slice(1)],
    ['for another format', text, version, targets.map((one) => ({ ...one, format: 'ployst' as const }))],
    ['for other workloads', text, version, targets.map((one) => ({ ...one, restart: workloads }))],
    [
      'for another strategy',
      text,
      version,
      targets.map((one) => ({ ...one, restartStrategy: 'env' as const })),
    ],
    ['for unreadable text', `${text.slice(0, -3)}?? `, version, targets],
    ['for text cut off', text.slice(0, -3), version, targets],
  ])('%s', (_, deployed, which, asked) => {
    expect(parseDeliveries(deployed, which, asked)).toEqual(asked.map(() => 'none'));
  });
});
