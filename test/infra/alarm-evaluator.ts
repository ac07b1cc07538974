// Evaluates alarms of a template over time lines, by CloudWatch's documented rules ("Using Amazon CloudWatch
// alarms": evaluating an alarm, and how it treats missing data; "Using metric math").
import * as z from 'zod';

/** One value of a metric, at a second of the time line. */
export interface Sample {
  readonly at: number;
  readonly value: number;
}

/** The samples of a metric, in any order. */
export type Samples = (namespace: string, name: string, dimension: string) => readonly Sample[];

export type AlarmState = 'INSUFFICIENT_DATA' | 'OK' | 'ALARM';

export interface Transition {
  readonly at: number;
  readonly state: AlarmState;
}

/** What the documents leave open. Alarms must do well with each of it. */
export interface Evaluation {
  /** How many periods CloudWatch looks at in addition to those that it evaluates; 2 in its example. */
  readonly older: number;
  /** Whether periods end at each minute or at multiples of the period. */
  readonly periods: 'sliding' | 'aligned';
}

const statistic = z.enum(['Sum', 'Maximum']);
const dimensions = z.tuple([z.object({ Name: z.string(), Value: z.unknown() })]);
const common = {
  Threshold: z.number(),
  EvaluationPeriods: z.number().int().min(1),
  DatapointsToAlarm: z.number().int().min(1).optional(),
  ComparisonOperator: z.literal('GreaterThanOrEqualToThreshold'),
  TreatMissingData: z.enum(['breaching', 'notBreaching', 'ignore']),
};
const onMetric = z.looseObject({
  ...common,
  Namespace: z.string(),
  MetricName: z.string(),
  Dimensions: dimensions,
  Statistic: statistic,
  Period: z.number().int(),
});
const metricStat = z.object({
  Metric: z.object({ Namespace: z.string(), MetricName: z.string(), Dimensions: dimensions }),
  Period: z.number().int(),
  Stat: statistic,
});
const onSum = z.looseObject({
  ...common,
  Metrics: z.array(
    z.union([
      z.strictObject({ Id: z.string(), MetricStat: metricStat, ReturnData: z.literal(false) }),
      z.strictObject({ Id: z.string(), Expression: z.string(), ReturnData: z.literal(true) }),
    ]),
  ),
});

interface Query {
  readonly namespace: string;
  readonly name: string;
  readonly dimension: string;
  readonly statistic: z.infer<typeof statistic>;
}

/** An alarm as it is evaluated. `queries` are added up. */
export interface Alarm {
  readonly queries: readonly Query[];
  readonly periodS: number;
  readonly evaluated: number;
  readonly toAlarm: number;
  readonly threshold: number;
  readonly missing: z.infer<typeof common.TreatMissingData>;
}

/** Reads the properties of an `AWS::CloudWatch::Alarm`. @throws Error for what CloudWatch refuses, or what is
 *  not evaluated here. */
export function readAlarm(properties: unknown): Alarm {
  const single = onMetric.safeParse(properties);
  const parsed = single.data ?? onSum.parse(properties);
  const queries = single.data
    ? [{ Metric: single.data, Stat: single.data.Statistic, Period: single.data.Period }]
    : readSum(onSum.parse(properties).Metrics);
  const [{ Period: periodS } = { Period: 0 }] = queries;
  const { EvaluationPeriods: evaluated, DatapointsToAlarm: toAlarm = evaluated } = parsed;
  if (queries.some(({ Period }) => Period !== periodS)) throw new Error('metrics with different periods');
  if (periodS % 60 !== 0 || periodS < 60 || periodS > 86_400) throw new Error(`no period: ${periodS}`);
  if (toAlarm > evaluated) throw new Error(`${toAlarm} of ${evaluated} data points`);
  const mostS = periodS >= 3_600 ? 604_800 : 86_400;
  if (periodS * evaluated > mostS) throw new Error(`${evaluated} periods of ${periodS} s are too many`);
  return {
    queries: queries.map(
      ({
        Metric: {
          Namespace: namespace,
          MetricName: name,
          Dimensions: [first],
        },
        Stat,
      }) => ({
        namespace,
        name,
        dimension: JSON.stringify(first.Value),
        statistic: Stat,
      }),
    ),
    periodS,
    evaluated,
    toAlarm,
    threshold: parsed.Threshold,
    missing: parsed.TreatMissingData,
  };
}

function readSum(metrics: z.infer<typeof onSum>['Metrics']): readonly z.infer<typeof metricStat>[] {
  const stats = metrics.flatMap((one) => ('MetricStat' in one ? [one] : []));
  const [result, ...more] = metrics.flatMap((one) => ('Expression' in one ? [one.Expression] : []));
  if (stats.length > 10) throw new Error('CloudWatch takes ten metrics in an alarm');
  if (result !== stats.map(({ Id }) => Id).join(' + ') || more.length > 0)
    throw new Error(`only a sum of all metrics is evaluated here, not ${result}`);
  return stats.map(({ MetricStat }) => MetricStat);
}

/** The changes of an alarm's state from `from` on, when it is made, to `until`; seconds of the time line. */
export function evaluateAlarm(
  alarm: Alarm,
  samples: Samples,
  { from, until }: { readonly from: number; readonly until: number },
  { older, periods }: Evaluation,
): readonly Transition[] {
  const { periodS, evaluated } = alarm;
  const breachOf = readBreaches(alarm, samples);
  const transitions: Transition[] = [{ at: from, state: 'INSUFFICIENT_DATA' }];
  for (let at = from + 60; at <= until; at += 60) {
    if (periods === 'aligned' && at % periodS !== 0 && at !== from + 60) continue;
    const end = periods === 'sliding' ? at : Math.floor(at / periodS) * periodS;
    const points = Array.from({ length: evaluated + older }, (_, index) =>
      breachOf(end - (evaluated + older - index) * periodS),
    );
    const before = transitions.at(-1)?.state ?? 'INSUFFICIENT_DATA';
    const state = judge(alarm, points, before);
    if (state !== before) transitions.push({ at, state });
  }
  return transitions;
}

/** Whether the period that begins at a second is beyond the threshold; `undefined`: no data. Of several
 *  metrics, one without data counts as 0 where another has some. */
function readBreaches(
  { queries, periodS, threshold }: Alarm,
  samples: Samples,
): (begin: number) => boolean | undefined {
  const read = queries.map(({ namespace, name, dimension, statistic: stat }) => {
    const sorted = samples(namespace, name, dimension).toSorted((a, b) => a.at - b.at);
    const first = (at: number) => {
      let [low, high] = [0, sorted.length];
      while (low < high) {
        const middle = (low + high) >> 1;
        if ((sorted[middle]?.at ?? 0) < at) low = middle + 1;
        else high = middle;
      }
      return low;
    };
    return (begin: number) => {
      const own = sorted.slice(first(begin), first(begin + periodS)).map(({ value }) => value);
      if (own.length === 0) return [];
      return [stat === 'Sum' ? own.reduce((sum, one) => sum + one, 0) : Math.max(...own)];
    };
  });
  const known = new Map<number, boolean | undefined>();
  return (begin) => {
    if (!known.has(begin)) {
      const values = read.flatMap((periodAt) => periodAt(begin));
      const sum = values.reduce((all, one) => all + one, 0);
      known.set(begin, values.length === 0 ? undefined : sum >= threshold);
    }
    return known.get(begin);
  };
}

/** The state of an alarm from the data points in its evaluation range, the oldest first. `true`: breaching;
 *  `undefined`: missing. */
export function judge(
  { evaluated, toAlarm, missing }: Pick<Alarm, 'evaluated' | 'toAlarm' | 'missing'>,
  points: readonly (boolean | undefined)[],
  before: AlarmState,
): AlarmState {
  const real = points.filter((point) => point !== undefined);
  const newest = real.slice(-evaluated);
  const filled = evaluated - newest.length;
  const breaching = newest.filter(Boolean).length;
  if (filled > 0 && missing === 'ignore') {
    if (breaching >= toAlarm) return 'ALARM';
    return newest.includes(false) ? 'OK' : before;
  }
  return breaching + (missing === 'breaching' ? filled : 0) >= toAlarm ? 'ALARM' : 'OK';
}
