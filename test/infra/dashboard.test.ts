// The dashboard of CloudWatch that `serverless package` makes of infra/template/dashboard.yml.
import { beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { fillDashboard } from '../../infra/template/dashboard.ts';
import { functionNames } from '../function-names.ts';
import { readPackagedService, type Template } from './packaged.ts';

/** As CloudWatch documents the body of a dashboard, for the kinds of widgets that it has. */
const place = {
  x: z.int().min(0).max(23),
  y: z.int().min(0),
  width: z.int().min(1).max(24),
  height: z.int().min(1),
};
const metric = z.strictObject({
  title: z.string(),
  region: z.string(),
  view: z.literal('timeSeries'),
  stat: z.enum(['Maximum', 'Sum']),
  period: z.int().multipleOf(60),
  metrics: z.array(z.array(z.string()).length(4)).min(1).max(500),
});
const widget = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('custom'),
    ...place,
    properties: z.strictObject({
      title: z.string(),
      endpoint: z.string(),
      updateOn: z.strictObject({ refresh: z.boolean(), resize: z.boolean(), timeRange: z.boolean() }),
    }),
  }),
  z.strictObject({ type: z.literal('metric'), ...place, properties: metric }),
  z.strictObject({
    type: z.literal('alarm'),
    ...place,
    properties: z.strictObject({ title: z.string(), alarms: z.array(z.string()).min(1).max(100) }),
  }),
  z.strictObject({
    type: z.literal('log'),
    ...place,
    properties: z.strictObject({
      title: z.string(),
      region: z.string(),
      view: z.literal('table'),
      query: z.string(),
    }),
  }),
]);
const body = z.strictObject({
  variables: z.array(
    z.strictObject({
      type: z.literal('pattern'),
      id: z.string(),
      label: z.string(),
      pattern: z.string(),
      inputType: z.literal('input'),
      defaultValue: z.string(),
      visible: z.boolean(),
    }),
  ),
  widgets: z.array(widget).max(500),
});
const substituted = z.strictObject({ 'Fn::Sub': z.string() });

let template: Template;
let dashboard: z.infer<typeof body>;
let text: string;
beforeAll(async () => {
  ({ template } = await readPackagedService());
  const { DashboardBody } = template.Resources.Dashboard?.Properties ?? {};
  text = substituted.parse(DashboardBody)['Fn::Sub'];
  dashboard = body.parse(JSON.parse(text));
}, 120_000);

it('names only resources of the stack, and has the name of the stack', () => {
  const names = [...text.matchAll(/\$\{([\w:]+)(\.Arn)?\}/g)].map(([, name = '']) => name);
  const known = [...Object.keys(template.Resources), 'AWS::Region', 'AWS::Partition', 'AWS::AccountId'];
  expect(names.filter((name) => !known.includes(name))).toEqual([]);
  expect(template.Resources.Dashboard?.Properties.DashboardName).toEqual({ Ref: 'AWS::StackName' });
});

it('shows the page of the function, every alarm, every function’s errors and the metrics of status', () => {
  const of = <T extends string>(type: T) => dashboard.widgets.filter((one) => one.type === type);
  expect(of('custom')).toMatchObject([{ properties: { endpoint: '${' + 'DashboardLambdaFunction.Arn}' } }]);
  const alarms = Object.entries(template.Resources).flatMap(([id, { Type }]) =>
    Type === 'AWS::CloudWatch::Alarm'
      ? [`arn:\${AWS::Partition}:cloudwatch:\${AWS::Region}:\${AWS::AccountId}:alarm:\${${id}}`]
      : [],
  );
  expect(of('alarm')).toMatchObject([{ properties: { alarms } }]);
  for (const name of ['DegradedCertificates', 'DegradedOthers', 'SoonestExpiryDays', 'PendingTargets'])
    expect(text).toContain(JSON.stringify(['Certrelay', name, 'Installation', 'certrelay']));
  expect([...text.matchAll(/"FunctionName"/g)]).toHaveLength(functionNames.length);
});

it('searches the logs of all functions for the name that a person writes above', () => {
  const [query = ''] = dashboard.widgets.flatMap((one) => (one.type === 'log' ? [one.properties.query] : []));
  const [variable] = dashboard.variables;
  expect([...query.matchAll(/SOURCE '\/aws\/lambda\/\$\{\w+LambdaFunction\}'/g)]).toHaveLength(
    functionNames.length,
  );
  // CloudWatch replaces the pattern everywhere, so it must stand at one place alone.
  expect(text.split(variable?.pattern ?? '')).toHaveLength(3);
  expect(query).toContain(`filter certificate like /${variable?.pattern}/`);
});

it('has no two widgets at one place', () => {
  const cells = dashboard.widgets.flatMap(({ x, y, width, height }) => {
    expect(x + width).toBeLessThanOrEqual(24);
    return Array.from(
      { length: width * height },
      (_, cell) => `${x + (cell % width)}/${y + Math.floor(cell / width)}`,
    );
  });
  expect(new Set(cells).size).toBe(cells.length);
});

it('is an error of the build where the template has none', () => {
  expect(() => fillDashboard({}, 'certrelay', ['issue'])).toThrow(
    'infra/template/dashboard.yml has no resource Dashboard',
  );
});
