// What a bill counts of the stack (lib/policy/cost/stack.ts) against the template.
import { expect, it } from 'vitest';
import * as z from 'zod';
import { stackUse } from '../../lib/policy/cost/stack.ts';
import { readPackagedService } from './packaged.ts';

const queries = z.array(z.object({ MetricStat: z.unknown().optional() })).optional();

it('is what the template has', { timeout: 120_000 }, async () => {
  const { template } = await readPackagedService();
  const find = (type: string) => Object.values(template.Resources).filter(({ Type }) => Type === type);
  const alarms = find('AWS::CloudWatch::Alarm').map(({ Properties }) => queries.parse(Properties.Metrics));
  const metrics = alarms.map((all) => all?.filter(({ MetricStat }) => MetricStat !== undefined).length ?? 1);
  expect(metrics.reduce((sum, count) => sum + count, 0)).toBe(stackUse.alarmMetrics);
  expect(find('AWS::CloudWatch::Dashboard')).toHaveLength(stackUse.dashboards);
  expect(find('AWS::Lambda::EventSourceMapping')).toHaveLength(stackUse.queues);
  const memory = find('AWS::Lambda::Function').map(({ Properties }) => Number(Properties.MemorySize) / 1024);
  expect(Math.max(...memory)).toBe(stackUse.memoryGb);
});
