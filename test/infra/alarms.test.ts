// The alarms that `serverless package` makes of infra/alarms.yml, and the log lines that some of them count.
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import * as z from 'zod';
import { readPackagedService, type Template } from './packaged.ts';

let template: Template;
beforeAll(async () => {
  ({ template } = await readPackagedService());
}, 120_000);

const find = (type: string) => Object.values(template.Resources).filter((resource) => resource.Type === type);
const properties = (logicalId: string) => template.Resources[logicalId]?.Properties;

const filter = z.object({
  LogGroupName: z.object({ Ref: z.string() }),
  FilterPattern: z.string(),
  MetricTransformations: z.tuple([z.object({ MetricNamespace: z.unknown(), MetricName: z.string() })]),
});
const filters = () =>
  find('AWS::Logs::MetricFilter').map(({ Properties }) => {
    const { LogGroupName, FilterPattern, MetricTransformations } = filter.parse(Properties);
    return { group: LogGroupName.Ref, pattern: FilterPattern, ...MetricTransformations[0] };
  });

it('alarms are on errors, on what a batch gives back without an error, on dead messages and on silence', () => {
  const alarms = Object.entries(template.Resources).filter(
    ([, { Type }]) => Type === 'AWS::CloudWatch::Alarm',
  );
  expect(Object.fromEntries(alarms.map(([id, { Properties }]) => [id, Properties.MetricName]))).toEqual({
    IssueFailed: 'Errors',
    DeployFailed: 'Errors',
    ProbeFailed: 'Errors',
    StatusFailed: 'Errors',
    AgentSilent: 'AgentSilences',
    RegisterFailed: '5xx',
    RegisterFlooded: '4xx',
    CertificateFailed: 'CertificateFailures',
    DeliveryFailed: 'DeliveryFailures',
    CertificateNotServed: 'ServedFailures',
    IssueMessagesDead: 'ApproximateNumberOfMessagesVisible',
    DeployMessagesDead: 'ApproximateNumberOfMessagesVisible',
    IssueSilent: 'IssuePasses',
    DeploySilent: 'DeployPasses',
    ProbeSilent: 'ProbePasses',
    StatusSilent: 'StatusPasses',
  });
  for (const silent of ['IssueSilent', 'DeploySilent', 'ProbeSilent', 'StatusSilent']) {
    expect(properties(silent)).toMatchObject({ Period: 86_400, TreatMissingData: 'breaching' });
  }
});

it('one alarm is on many refused requests to the webhook, not on a few', () => {
  expect(properties('RegisterFlooded')).toMatchObject({
    Namespace: 'AWS/ApiGateway',
    Dimensions: [{ Name: 'ApiId', Value: { Ref: 'HttpApi' } }],
    Statistic: 'Sum',
    Period: 300,
    Threshold: 100,
    TreatMissingData: 'notBreaching',
  });
  expect(properties('RegisterFailed')).toMatchObject({ Threshold: 1 });
});

it('alarms read metrics of this stack alone, each made by a filter on the log of its function', () => {
  const made = filters().map(({ group, MetricName }) => [group, MetricName]);
  expect(made).toEqual([
    ['IssueLogGroup', 'CertificateFailures'],
    ['DeployLogGroup', 'DeliveryFailures'],
    ['ProbeLogGroup', 'ServedFailures'],
    ['StatusLogGroup', 'AgentSilences'],
    ['IssueLogGroup', 'IssuePasses'],
    ['DeployLogGroup', 'DeployPasses'],
    ['ProbeLogGroup', 'ProbePasses'],
    ['StatusLogGroup', 'StatusPasses'],
  ]);
  const namespace = { Ref: 'AWS::StackName' };
  expect(filters().map(({ MetricNamespace }) => MetricNamespace)).toEqual(Array(8).fill(namespace));
  for (const [, MetricName] of made) {
    const readers = find('AWS::CloudWatch::Alarm').filter(
      ({ Properties }) => Properties.MetricName === MetricName,
    );
    expect(readers.map(({ Properties }) => Properties.Namespace)).toEqual([namespace]);
  }
});

it('filters count lines by the words that the code writes', async () => {
  const rooms = {
    IssueLogGroup: 'lib/issue',
    DeployLogGroup: 'lib/deploy',
    ProbeLogGroup: 'lib/probe',
    StatusLogGroup: 'lib/status',
  };
  for (const [group, room] of Object.entries(rooms)) {
    const source = await readRoom(room);
    const patterns = filters().filter((one) => one.group === group);
    const events = patterns.flatMap(({ pattern }) =>
      [...pattern.matchAll(/\$\.message = "([^"]+)"/g)].map(([, event = '']) => event),
    );
    expect(events).toHaveLength(2);
    expect(events.filter((event) => !source.includes(`'${event}'`))).toEqual([]);
  }
});

/** All source of one room. */
async function readRoom(room: string): Promise<string> {
  const folder = join(import.meta.dirname, '../..', room);
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.ts'));
  return (await Promise.all(files.map((file) => readFile(join(folder, file), 'utf8')))).join('\n');
}
