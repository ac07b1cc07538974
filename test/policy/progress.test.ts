import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { describeProgress, isDelivered, phasesOf } from '../../lib/policy/delivery/progress.ts';
import type { DeliveryPhase } from '../../lib/state/delivery.ts';
import { targetsKey } from '../../lib/state/targets.ts';
import { stateOfTags, tagsOfState, throughTags } from '../fakes/tags.ts';
import { targetOf } from '../minting/targets.ts';

const target = targetOf();
const targets = [target, { ...target, cluster: 'prod' }, { ...target, secret: 'other' }];
const version = '4b3f5c1e-0000-4000-8000-000000000001';

test('one letter per target tells how far the version has come', () => {
  const deployed = describeProgress(version, targets, ['rolled-out', 'none', 'applied']);
  expect(tagsOfState({ deployed }).deployed).toMatch(new RegExp(`^${version}/[0-9a-f]{8}/r-a$`));
  expect(phasesOf(deployed, version, targets)).toEqual(['rolled-out', 'none', 'applied']);
});

test('what is written is read back, for any steps and hundreds of targets', () => {
  const step = fc.constantFrom<DeliveryPhase>('none', 'applied', 'rolled-out');
  const steps = fc.array(step, { maxLength: 300, size: 'max' });
  fc.assert(
    fc.property(steps, (delivered) => {
      const many = delivered.map((_, index) => ({ ...target, secret: `s${index}` }));
      const { deployed } = throughTags({ deployed: describeProgress(version, many, delivered) });
      expect(phasesOf(deployed ?? undefined, version, many)).toEqual(delivered);
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
  const record = describeProgress(version, targets, ['rolled-out', 'rolled-out', 'rolled-out']);
  const { deployed: text = '' } = tagsOfState({ deployed: record });
  const workloads = [{ kind: 'Deployment', name: 'web' }] as const;

  test.each([
    ['without text', '', version, targets],
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
    expect(phasesOf(stateOfTags({ deployed }).deployed, which, asked)).toEqual(asked.map(() => 'none'));
  });
});

test.each<[string, boolean]>([
  ['v2/0a1b2c3d/ra', true],
  ['v2/0a1b2c3d/r-', false],
  ['v1/0a1b2c3d/rr', false],
  ['v2', false],
  ['', false],
])('that version v2 is delivered is said by %j: %s', (deployed, expected) => {
  expect(isDelivered(stateOfTags({ deployed }).deployed, 'v2')).toBe(expected);
});
