// What is next at each target by tags alone, as deploy plans, status shows and revoke waits.
import { expect, test } from 'vitest';
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import { describeOpen, judgeTargetStates } from '../../lib/policy/delivery/target-states.ts';
import { targetOf } from '../minting/targets.ts';

const targets = [
  targetOf({ secret: 'a' }),
  targetOf({ secret: 'b' }),
  targetOf({ secret: 'c' }),
  targetOf({ cluster: 'far' }),
];
const inventory = { clusters: { lab: { kubeconfig: { secret: 'lab' } }, far: { agent: true } } } as const;
const deployed = describeProgress('v2', targets, ['rolled-out', 'applied', 'none', 'none']);
const nexts = (state: object, freeze?: 'none') =>
  judgeTargetStates({ name: 'shop', version: 'v2', state, freeze }, targets, inventory).map(
    ({ next }) => next,
  );

test.each([
  ['nothing is recorded', {}, ['deliver', 'deliver', 'deliver', 'agent']],
  ['phases are recorded', { deployed }, ['nothing', 'restart', 'deliver', 'agent']],
  [
    'they are of another version',
    { deployed: { ...deployed, version: 'v1' } },
    ['deliver', 'deliver', 'deliver', 'agent'],
  ],
  [
    'the version failed at one target',
    { deployed, freeze: { version: 'v2', target: 'lab/shop/b', reason: 'pods fail' } },
    ['nothing', 'return', 'frozen', 'frozen'],
  ],
  [
    'a person took it back',
    { deployed, freeze: { version: 'v2', target: '*', reason: 'by hand' } },
    ['return', 'return', 'return', 'return'],
  ],
] as const)('%s', (_, state, expected) => {
  expect(nexts(state)).toEqual(expected);
});

test('a freeze that a person has ended just now no longer counts', () => {
  const freeze = { version: 'v2', target: '*', reason: 'by hand' };
  expect(nexts({ deployed, freeze }, 'none')).toEqual(['nothing', 'restart', 'deliver', 'agent']);
});

test('what is open is said with what keeps it open', () => {
  const freeze = { version: 'v2', target: 'lab/shop/b', reason: 'pods fail' };
  const describe = (state: object) => {
    const subject = { name: 'shop', version: 'v2', state };
    return describeOpen(subject, judgeTargetStates(subject, targets.slice(0, 2), inventory));
  };
  const two = describeProgress('v2', targets.slice(0, 2), ['rolled-out', 'applied']);
  expect(describe({ deployed: two })).toBe('it is not delivered yet to lab/shop/b');
  expect(describe({ deployed: two, freeze })).toMatch(/lab\/shop\/b: pods fail; .*certrelay resume shop/);
  expect(
    describe({ deployed: describeProgress('v2', targets.slice(0, 2), ['rolled-out', 'rolled-out']) }),
  ).toBeUndefined();
});
