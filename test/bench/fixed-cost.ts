// What an installation costs a month before it has a certificate, by what it deploys and its schedules do.

import { functionId } from '../../infra/template/permissions.ts';
import { readRate } from '../../infra/template/rates.ts';
import { billMonth, type MonthlyUse } from '../../lib/policy/cost/bill.ts';
import { pricesReadAt } from '../../lib/policy/cost/prices.ts';
import type { InstallationMetrics } from '../../lib/status/measure.ts';
import { readPackagedService, type Template } from '../infra/packaged.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Figure } from './figure.ts';
import { cool, startQuietSandbox } from './quiet-sandbox.ts';

/** Metrics that `status` writes: all of them, as the type holds. */
const metrics: Readonly<Record<Exclude<keyof InstallationMetrics, 'installation'>, true>> = {
  DegradedCertificates: true,
  DegradedOthers: true,
  SuspendedCertificates: true,
  SoonestExpiryDays: true,
  PendingTargets: true,
  Certificates: true,
};
/** AWS secrets beside those of the stack: `installation`, and the account with the first order. */
const ownSecrets = 2;
const monthMinutes = 30 * 24 * 60;
/** Lambda asks each queue by five long polls at once, of 20 seconds each (its guide, "with-sqs"). */
const pollsAMonth = (5 * monthMinutes * 60) / 20;
const region = 'us-east-1';

/** What one scheduled pass over an empty installation uses. */
interface Pass {
  readonly ms: number;
  readonly secretCalls: number;
  readonly logBytes: number;
}

/** The number of alarms, and the fixed cost of a month by service. */
export async function benchFixedCost(): Promise<readonly Figure[]> {
  const { template } = await readPackagedService();
  const passes = await measurePasses(Object.keys(findSchedules(template)));
  const bill = billMonth(countUse(template, passes), region);
  const price = (
    what: string,
    { usd, usdWithFreeTier }: Omit<typeof bill, 'lines' | 'services' | 'region'>,
    note = '',
  ) => ({
    what,
    unit: 'USD' as const,
    measured: usd,
    note: `$${usdWithFreeTier.toFixed(2)} where the account uses nothing else of its free tier${note}`,
  });
  return [
    { what: 'alarms', unit: 'count', target: 9, measured: find(template, 'AWS::CloudWatch::Alarm').length },
    price(`fixed cost a month, list prices of ${region}, ${pricesReadAt}`, bill),
    ...bill.services.map((service) => {
      const lines = bill.lines.filter((line) => line.service === service.service);
      const used = lines.map(({ quantity, unit }) => `${Math.round(quantity * 100) / 100} ${unit}`);
      return price(`  ${service.service}`, service, `: ${used.join(', ')}`);
    }),
  ];
}

function countUse(template: Template, passes: Readonly<Record<string, Pass>>): MonthlyUse {
  const runs = Object.entries(findSchedules(template)).map(([name, minutes]) => {
    const { ms = 0, secretCalls = 0, logBytes = 0 } = passes[name] ?? {};
    const times = monthMinutes / minutes;
    const gb = memoryOf(template, name) / 1024;
    return {
      times,
      secretCalls: times * secretCalls,
      gbSeconds: (times * gb * ms) / 1_000,
      logBytes: times * logBytes,
    };
  });
  const total = (of: (run: (typeof runs)[number]) => number) => runs.reduce((sum, run) => sum + of(run), 0);
  const gb = total((run) => run.logBytes) / 1e9;
  return {
    secret: find(template, 'AWS::SecretsManager::Secret').length + ownSecrets,
    secretCall: total((run) => run.secretCalls),
    lambdaRequest: total((run) => run.times),
    lambdaGbSecond: total((run) => run.gbSeconds),
    schedulerCall: total((run) => run.times),
    alarmMetric: find(template, 'AWS::CloudWatch::Alarm').reduce((sum, alarm) => sum + metricsOf(alarm), 0),
    customMetric: Object.keys(metrics).length,
    dashboard: find(template, 'AWS::CloudWatch::Dashboard').length,
    queueRequest: find(template, 'AWS::Lambda::EventSourceMapping').length * pollsAMonth,
    logGb: gb,
    logGbMonth: gb,
  };
}

/** Calls each function twice as its schedule does, with nothing to do, and takes what a cold start uses. */
async function measurePasses(names: readonly string[]): Promise<Readonly<Record<string, Pass>>> {
  const sandbox = await startQuietSandbox();
  try {
    const passes: [string, Pass][] = [];
    for (const name of names) {
      await measurePass(sandbox, name);
      await cool(sandbox, name);
      passes.push([name, await measurePass(sandbox, name)]);
    }
    return Object.fromEntries(passes);
  } finally {
    await sandbox.stop();
  }
}

async function measurePass({ lambda, journal }: Sandbox, name: string): Promise<Pass> {
  const before = journal.calls.length;
  const startedAt = performance.now();
  const { error, log } = await lambda.invoke(name, { schedule: true });
  const ms = performance.now() - startedAt;
  if (error) throw new Error(`${name} failed: ${error.errorMessage}`);
  const calls = journal.calls.slice(before);
  return {
    ms,
    secretCalls: calls.filter(({ service }) => service === 'secretsmanager').length,
    logBytes: log.reduce((sum, line) => sum + Buffer.byteLength(line) + 1, 0),
  };
}

/** Minutes between two calls, by function; without schedules that only a parameter makes. */
function findSchedules({ Resources }: Template): Readonly<Record<string, number>> {
  return Object.fromEntries(
    Object.entries(Resources).flatMap(([id, { Type, Properties, Condition }]) => {
      const minutes = readRate(Properties.ScheduleExpression);
      if (Type !== 'AWS::Scheduler::Schedule' || Condition !== undefined || minutes === undefined) return [];
      return [[id.replace(/Schedule$/, '').toLowerCase(), minutes] as const];
    }),
  );
}

type Properties = Readonly<Record<string, unknown>>;

function find({ Resources }: Template, type: string): readonly Properties[] {
  return Object.values(Resources).flatMap(({ Type, Properties }) => (Type === type ? [Properties] : []));
}

/** How many metrics the alarm reads. */
function metricsOf({ Metrics }: Properties): number {
  if (!Array.isArray(Metrics)) return 1;
  return Metrics.filter((metric: object) => 'MetricStat' in metric).length;
}

function memoryOf({ Resources }: Template, name: string): number {
  return Number(Resources[functionId(name)]?.Properties.MemorySize);
}
