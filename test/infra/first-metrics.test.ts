// The first value of metrics whose alarms take missing data for trouble.
import { expect, it } from 'vitest';
import { awaitedMetrics, putFirstMetrics } from '../../infra/deploy/first-metrics.ts';
import { readPackagedService } from './packaged.ts';

/** CloudWatch as far as a deploy calls it. */
function open(failure?: Error) {
  const puts: unknown[] = [];
  const client = {
    send: async ({ input }: { readonly input: unknown }) => {
      if (failure) throw failure;
      puts.push(input);
      return {};
    },
  };
  return { puts, connect: async () => client };
}

it('a new stack, and one without these alarms, get one value for each; one that has them gets none', async () => {
  const expected = {
    Namespace: 'Certrelay',
    MetricData: awaitedMetrics.map((MetricName) => ({
      MetricName,
      Dimensions: [{ Name: 'Installation', Value: 'certrelay-prod' }],
      Value: 0,
      Unit: 'Count',
    })),
  };
  const { template } = await readPackagedService();
  for (const [deployed, puts] of [
    ['', [expected]],
    ['{"Resources":{"IssueSilent":{}}}', [expected]],
    [JSON.stringify(template), []],
  ] as const) {
    const double = open();
    expect(await putFirstMetrics(double.connect, 'certrelay-prod', async () => deployed)).toBeUndefined();
    expect(double.puts).toEqual(puts);
  }
}, 120_000);

it('they are those of the alarms that take missing data for trouble', async () => {
  const { template } = await readPackagedService();
  const waiting = Object.values(template.Resources).flatMap(({ Properties }) =>
    Properties.TreatMissingData === 'breaching' ? [Properties.MetricName] : [],
  );
  expect(waiting).toEqual(awaitedMetrics);
}, 120_000);

it('a refusal is a line that says what follows, and the deploy goes on', async () => {
  const denied = Object.assign(new Error('not authorized\nto perform: cloudwatch:PutMetricData'), {
    name: 'AccessDenied',
  });
  expect(await putFirstMetrics(open(denied).connect, 'certrelay', async () => '')).toBe(
    'The alarms DegradedCertificates and DegradedOthers may ring until status has run: their first value could not be put (AccessDenied: not authorized to perform: cloudwatch:PutMetricData).',
  );
  const unreadable = async () => Promise.reject(new Error('Stack cannot be read'));
  expect(await putFirstMetrics(open().connect, 'certrelay', unreadable)).toContain('Stack cannot be read');
});
