// The alarms that `serverless package` makes of infra/template/alarms.yml.
import { beforeAll, expect, it } from 'vitest';
import { fillAlarms } from '../../infra/template/alarms.ts';
import { functionNames } from '../function-names.ts';
import { readPackagedService, type Template } from './packaged.ts';

let template: Template;
beforeAll(async () => {
  ({ template } = await readPackagedService());
}, 120_000);

const find = (type: string) => Object.entries(template.Resources).filter(([, { Type }]) => Type === type);
const alarms = () => find('AWS::CloudWatch::Alarm');
const properties = (id: string) => template.Resources[id]?.Properties ?? {};

it('there are nine alarms at most, on levels, errors, dead letters and the webhook, and none on log lines', () => {
  expect(alarms().map(([id]) => id)).toEqual([
    'DegradedCertificates',
    'DegradedOthers',
    'IssueFailed',
    'FunctionsFailed',
    'MessagesDead',
    'RegisterFailed',
    'RegisterFlooded',
  ]);
  expect(alarms().length).toBeLessThanOrEqual(9);
  expect(find('AWS::Logs::MetricFilter')).toEqual([]);
});

it('levels are read by the prefix, and missing data is trouble', () => {
  for (const id of ['DegradedCertificates', 'DegradedOthers'])
    expect(properties(id)).toMatchObject({
      Namespace: 'Certrelay',
      MetricName: id,
      Dimensions: [{ Name: 'Installation', Value: 'certrelay' }],
      Statistic: 'Maximum',
      Period: 1800,
      Threshold: 1,
      TreatMissingData: 'breaching',
    });
});

it('every function that a schedule or a queue calls is watched, every dead-letter queue too, once each', () => {
  const called = [
    ...find('AWS::Scheduler::Schedule').map(([, { Properties }]) => JSON.stringify(Properties.Target)),
    ...find('AWS::Lambda::EventSourceMapping').map(([, { Properties }]) => JSON.stringify(Properties)),
  ].flatMap((text) => /(\w+)LambdaFunction/.exec(text)?.[1] ?? []);
  const watched = [properties('IssueFailed').Dimensions, properties('FunctionsFailed').Metrics].flatMap(
    (part) => [...JSON.stringify(part).matchAll(/"(\w+)LambdaFunction"/g)].map(([, name = '']) => name),
  );
  expect(watched.toSorted()).toEqual([...new Set(called)].toSorted());
  const dead = find('AWS::SQS::Queue').flatMap(([id]) => (id.endsWith('DeadLetters') ? [id] : []));
  const text = JSON.stringify(properties('MessagesDead').Metrics);
  expect([...text.matchAll(/"(\w+DeadLetters)"/g)].map(([, id]) => id)).toEqual(dead);
});

it('a text names the first command, of a function that there is', () => {
  for (const [id, { Properties }] of alarms()) {
    const text = String(Properties.AlarmDescription);
    const [, name = ''] = /First: npx (?:serverless logs --function|certrelay) (\w+)/.exec(text) ?? [];
    expect(functionNames, id).toContain(name);
    expect(text, id).not.toMatch(/[{}]/);
    expect(text.length, id).toBeLessThan(1024);
    expect(Properties, id).toMatchObject({ AlarmActions: Properties.OKActions });
  }
});

it('more functions than an alarm can watch, and an alarm that is not there, are an error of the build', () => {
  const many = Array.from({ length: 11 }, (_, index) => `function${index}`);
  expect(() => fillAlarms(structuredClone(template.Resources), many)).toThrow(/CloudWatch takes 1 to 10/);
  expect(() => fillAlarms({}, [])).toThrow('infra/template/alarms.yml has no alarm DegradedCertificates');
});
