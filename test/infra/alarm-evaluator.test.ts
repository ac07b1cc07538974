// The evaluator judges data points as CloudWatch's documentation shows in its tables.
import { expect, it } from 'vitest';
import { type AlarmState, judge, readAlarm } from './alarm-evaluator.ts';

/** `0`: within the threshold, `X`: beyond it, `-`: missing; the oldest first. */
const read = (text: string) => text.split(' ').map((one) => (one === '-' ? undefined : one === 'X'));

const treatments = ['ignore', 'breaching', 'notBreaching'] as const;
type Row = readonly [points: string, ...states: readonly (AlarmState | 'retained')[]];

const threeOfThree: readonly Row[] = [
  ['0 - X - X', 'OK', 'OK', 'OK'],
  ['0 - - - -', 'OK', 'OK', 'OK'],
  ['- - - - -', 'retained', 'ALARM', 'OK'],
  ['0 X X - X', 'ALARM', 'ALARM', 'ALARM'],
  ['- - - - X', 'retained', 'ALARM', 'OK'],
  ['X - - - -', 'retained', 'ALARM', 'OK'],
];
const twoOfThree: readonly Row[] = [
  ['0 - X - X', 'ALARM', 'ALARM', 'ALARM'],
  ['0 0 X 0 X', 'ALARM', 'ALARM', 'ALARM'],
  ['0 - X - -', 'OK', 'ALARM', 'OK'],
  ['- - - - 0', 'OK', 'ALARM', 'OK'],
  ['- - - - X', 'retained', 'ALARM', 'OK'],
];
const rows = [
  ...threeOfThree.map(([points, ...states]) => ({ toAlarm: 3, points, states })),
  ...twoOfThree.map(([points, ...states]) => ({ toAlarm: 2, points, states })),
];

it.each(rows)('$toAlarm of 3 data points: $points is judged as documented', ({ toAlarm, points, states }) => {
  for (const [index, missing] of treatments.entries()) {
    for (const before of ['OK', 'ALARM'] as const) {
      const state = judge({ evaluated: 3, toAlarm, missing }, read(points), before);
      expect(state, missing).toBe(states[index] === 'retained' ? before : states[index]);
    }
  }
});

it('refuses what CloudWatch refuses', () => {
  const alarm = {
    Namespace: 'Certrelay',
    MetricName: 'DegradedCertificates',
    Dimensions: [{ Name: 'Installation', Value: 'certrelay' }],
    Statistic: 'Maximum',
    Period: 1800,
    EvaluationPeriods: 1,
    Threshold: 1,
    ComparisonOperator: 'GreaterThanOrEqualToThreshold',
    TreatMissingData: 'breaching',
  };
  expect(readAlarm(alarm)).toMatchObject({ periodS: 1800, evaluated: 1, toAlarm: 1 });
  expect(() => readAlarm({ ...alarm, Period: 90 })).toThrow('no period');
  expect(() => readAlarm({ ...alarm, EvaluationPeriods: 49 })).toThrow('too many');
  expect(() => readAlarm({ ...alarm, Period: 3600, EvaluationPeriods: 169 })).toThrow('too many');
  expect(() => readAlarm({ ...alarm, DatapointsToAlarm: 2 })).toThrow('2 of 1');
});
