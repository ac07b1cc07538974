// Puts a first value of what alarms on levels read, before a deploy makes these alarms. CloudWatch takes an
// alarm without any data for trouble at once, and `status` can only run once the stack is there.
import { type CloudWatchClient, PutMetricDataCommand } from '@aws-sdk/client-cloudwatch';
import { describeAwsError, type StackProvider } from './deployed-stack.ts';

/** Metrics whose alarms take missing data for trouble (infra/template/alarms.yml). */
export const awaitedMetrics = ['DegradedCertificates', 'DegradedOthers'] as const;

/** How long the call may take, in milliseconds. */
const mostMs = 10_000;

/** `putFirstMetrics` with the credentials of the person who deploys; nothing without a prefix. */
export async function beginMetrics(
  provider: Pick<StackProvider, 'getAwsSdkV3Config'>,
  prefix: string | undefined,
  readDeployed: () => Promise<string>,
): Promise<string | undefined> {
  if (prefix === undefined) return undefined;
  const connect = async () => {
    const { CloudWatchClient: Client } = await import('@aws-sdk/client-cloudwatch');
    return new Client(await provider.getAwsSdkV3Config());
  };
  return putFirstMetrics(connect, prefix, readDeployed);
}

/** Puts 0 for each metric, unless the deployed template has its alarm already. Returns a line to print if
 *  that failed. Never throws: the deploy goes on, and the alarms ring until `status` has run.
 *  @param readDeployed Gives the deployed template as text; empty: there is no stack. */
export async function putFirstMetrics(
  connect: () => Promise<Pick<CloudWatchClient, 'send'>>,
  installation: string,
  readDeployed: () => Promise<string>,
): Promise<string | undefined> {
  try {
    const template = await readDeployed();
    const missing = awaitedMetrics.filter((name) => !template.includes(`"${name}"`));
    if (missing.length === 0) return undefined;
    const Dimensions = [{ Name: 'Installation', Value: installation }];
    const MetricData = missing.map((MetricName) => ({
      MetricName,
      Dimensions,
      Value: 0,
      Unit: 'Count' as const,
    }));
    const client = await connect();
    await client.send(new PutMetricDataCommand({ Namespace: 'Certrelay', MetricData }), {
      abortSignal: AbortSignal.timeout(mostMs),
    });
    return undefined;
  } catch (error) {
    return `The alarms ${awaitedMetrics.join(' and ')} may ring until status has run: their first value could not be put (${describeAwsError(error)}).`;
  }
}
