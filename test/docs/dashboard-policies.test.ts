// The policies of docs/operating/dashboard.md, as IAM would judge by them.
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { functionNames } from '../function-names.ts';
import { checkAction } from '../sandbox/iam/condition-keys.ts';
import { checkStatement, isAllowed, type Statement } from '../sandbox/iam/evaluation.ts';
import { readPages } from './markdown.ts';

const oneOrMore = z.union([z.array(z.string()), z.string().transform((text) => [text])]);
const policy = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(
    z.strictObject({ Sid: z.string(), Effect: z.literal('Allow'), Action: oneOrMore, Resource: oneOrMore }),
  ),
});

const page = readPages().find(({ path }) => path === 'docs/operating/dashboard.md');
const [viewer = [], operator = []] = (page?.blocks ?? [])
  .filter(({ language }) => language === 'json')
  .map(({ text }) =>
    policy.parse(JSON.parse(text)).Statement.map(
      ({ Sid, Action, Resource }): Statement => ({
        sid: Sid,
        actions: Action,
        resources: Resource,
        conditions: {},
      }),
    ),
  );

const lambda = (name: string) => `arn:aws:lambda:eu-central-1:123456789012:function:${name}`;
const calls = (statements: readonly Statement[], stack = 'certrelay-dev') =>
  functionNames.filter((name) =>
    isAllowed(statements, { action: 'lambda:InvokeFunction', resource: lambda(`${stack}-${name}`) }),
  );

describe('the policies of people', () => {
  it('let who looks call the page alone, and who clicks also what the buttons call', () => {
    expect(calls(viewer)).toEqual(['dashboard']);
    expect(calls(operator)).toEqual(['issue', 'deploy', 'pause', 'status']);
    expect(calls([...viewer, ...operator], 'certrelay-prod')).toEqual([]);
  });

  it.each([
    ['cloudwatch:GetDashboard', 'arn:aws:cloudwatch::123456789012:dashboard/certrelay-dev'],
    ['cloudwatch:GetMetricData', '*'],
    ['cloudwatch:DescribeAlarms', '*'],
    ['logs:StartQuery', 'arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/certrelay-dev-issue:*'],
    ['logs:GetQueryResults', '*'],
  ])('let who looks have %s on %s', (action, resource) => {
    expect(isAllowed(viewer, { action, resource })).toBe(true);
  });

  it.each([
    ['cloudwatch:GetDashboard', 'arn:aws:cloudwatch::123456789012:dashboard/of-others'],
    ['logs:StartQuery', 'arn:aws:logs:eu-central-1:123456789012:log-group:/aws/lambda/others:*'],
    [
      'secretsmanager:GetSecretValue',
      'arn:aws:secretsmanager:eu-central-1:123456789012:secret:certrelay/webhook-AbCdEf',
    ],
    ['secretsmanager:ListSecrets', '*'],
    ['cloudwatch:PutDashboard', 'arn:aws:cloudwatch::123456789012:dashboard/certrelay-dev'],
    ['sqs:SendMessage', 'arn:aws:sqs:eu-central-1:123456789012:issue'],
  ])('let nobody have %s on %s', (action, resource) => {
    expect(isAllowed([...viewer, ...operator], { action, resource })).toBe(false);
  });

  it('name actions that there are, and no pattern of them', () => {
    for (const statement of [...viewer, ...operator]) {
      checkStatement(statement);
      for (const action of statement.actions) expect(() => checkAction(action)).not.toThrow();
    }
  });
});
