// Fills the alarms of alarms.yml: how long each waits, by the rates of the schedules; which functions and
// queues it watches; and the commands in its text.
import { invokeCommand, logsCommand } from '../../lib/policy/commands.ts';
import { functionId, type Resources } from './permissions.ts';
import { readRate } from './rates.ts';

/** Fills the alarms of a template in place. Call it once for each template, after `setCommandPlace`.
 *  @param queueFunctions Names of the functions that read a queue.
 *  @throws Error if the template lacks an alarm, or an alarm gets more metrics than CloudWatch takes. */
export function fillAlarms(resources: Resources, queueFunctions: readonly string[]): void {
  const intervals = intervalsOf(resources);
  const [status = 15, issue = 360] = [intervals.get('status'), intervals.get('issue')];
  for (const id of ['DegradedCertificates', 'DegradedOthers']) change(resources, id, levelWindow(status));
  change(resources, 'IssueFailed', errorWindow(issue));
  const others = [...new Set([...intervals.keys(), ...queueFunctions])].filter((name) => name !== 'issue');
  const { Period, ...window } = errorWindow(Math.max(0, ...others.map((name) => intervals.get(name) ?? 0)));
  change(resources, 'FunctionsFailed', {
    ...window,
    Metrics: sumOf(others.map((name) => errorsOf(name, Period))),
  });
  const queues = Object.entries(resources).flatMap(([id, { Type }]) =>
    Type === 'AWS::SQS::Queue' && id.endsWith('DeadLetters') ? [id] : [],
  );
  change(resources, 'MessagesDead', { Metrics: sumOf(queues.map(messagesIn)) });
  for (const [id, { Type, Properties }] of Object.entries(resources)) {
    if (Type !== 'AWS::CloudWatch::Alarm') continue;
    change(resources, id, { AlarmDescription: describe(String(Properties?.AlarmDescription), queues) });
  }
}

const minuteS = 60;
const dayS = 86_400;
/** CloudWatch looks back a week at most, and a period has a day at most. */
const mostDays = 7;

/** The window of a level that `status` writes: twice its interval, so that one late run is no silence.
 *  CloudWatch fetches more periods than it evaluates, and the newest data point counts: silence rings once
 *  these are empty. The worst value in a period counts, so that one that comes and goes rings once. */
function levelWindow(statusMinutes: number): object {
  const seconds = 2 * statusMinutes * minuteS;
  if (seconds <= dayS) return { Period: seconds, EvaluationPeriods: 1, DatapointsToAlarm: 1 };
  // With several periods all must be bad: else a period without data rings beside one with good data.
  const days = Math.min(mostDays, Math.ceil(seconds / dayS));
  return { Period: dayS, EvaluationPeriods: days, DatapointsToAlarm: days };
}

const errorPeriodS = 7_200;

/** The window of errors: over twice the interval, so that a function that fails each time rings once, and the
 *  alarm ends after it has run well twice. A period holds a run of 15 minutes and its two repetitions. */
function errorWindow(minutes: number): { readonly Period: number; readonly EvaluationPeriods: number } {
  const periods = Math.ceil((2 * minutes * minuteS) / errorPeriodS) + 1;
  const most = Math.floor((mostDays * dayS) / errorPeriodS);
  return { Period: errorPeriodS, EvaluationPeriods: Math.min(most, periods) };
}

/** Minutes between two scheduled calls, by function. */
function intervalsOf(resources: Resources): ReadonlyMap<string, number> {
  return new Map(
    Object.entries(resources).flatMap(([id, { Type, Properties }]) => {
      const minutes = readRate(Properties?.ScheduleExpression);
      if (Type !== 'AWS::Scheduler::Schedule' || minutes === undefined) return [];
      return [[id.replace(/Schedule$/, '').toLowerCase(), minutes] as const];
    }),
  );
}

interface MetricQuery {
  readonly Metric: object;
  readonly Period: number;
  readonly Stat: 'Sum' | 'Maximum';
}

function errorsOf(name: string, Period: number): MetricQuery {
  const Dimensions = [{ Name: 'FunctionName', Value: { Ref: functionId(name) } }];
  return { Metric: { Namespace: 'AWS/Lambda', MetricName: 'Errors', Dimensions }, Period, Stat: 'Sum' };
}

function messagesIn(queue: string): MetricQuery {
  const Dimensions = [{ Name: 'QueueName', Value: { 'Fn::GetAtt': [queue, 'QueueName'] } }];
  const MetricName = 'ApproximateNumberOfMessagesVisible';
  return { Metric: { Namespace: 'AWS/SQS', MetricName, Dimensions }, Period: 300, Stat: 'Maximum' };
}

/** CloudWatch takes ten metrics in an alarm, and bills each. */
const mostMetrics = 10;

/** The sum of the metrics. CloudWatch counts a metric without data as 0 where another has some. */
function sumOf(metrics: readonly MetricQuery[]): readonly object[] {
  if (metrics.length === 0 || metrics.length > mostMetrics) {
    const problem = `an alarm over ${metrics.length} metrics, and CloudWatch takes 1 to ${mostMetrics}: give some of them an alarm of their own`;
    throw new Error(`infra/template/alarms.ts: ${problem}`);
  }
  const ids = metrics.map((_, index) => `m${index + 1}`);
  const parts = metrics.map((MetricStat, index) => ({ Id: ids[index], MetricStat, ReturnData: false }));
  return [...parts, { Id: 'sum', Expression: ids.join(' + '), ReturnData: true }];
}

/** The text of an alarm, with commands in place of `{status}` and `{logs issue}`, and the names of queues. */
function describe(text: string, queues: readonly string[]): string {
  return text.replace(/\{(\w{1,40}) ?(\w{0,40})\}/g, (_, what: string, name: string) => {
    if (what === 'status') return invokeCommand('status');
    if (what === 'logs') return logsCommand(name);
    if (what === 'queues') return queues.join(', ');
    throw new Error(`infra/template/alarms.yml: "{${what}}" stands for nothing`);
  });
}

function change(resources: Resources, id: string, properties: object): void {
  const alarm = resources[id];
  if (alarm?.Type !== 'AWS::CloudWatch::Alarm')
    throw new Error(`infra/template/alarms.yml has no alarm ${id}`);
  // YAML lets alarms share their parts, so each gets properties of its own.
  Object.assign(alarm, { Properties: { ...alarm.Properties, ...properties } });
}
