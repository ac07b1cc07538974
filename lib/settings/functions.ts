// Reads the settings of all functions from the environment. All mistakes are reported together.
import { formatEndpoint, parseEndpoint } from '../certificate/endpoint.ts';
import { ConfigError } from '../ports/errors.ts';

/** The log levels, from most to least detail. */
export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
/** One of `logLevels`. */
export type LogLevel = (typeof logLevels)[number];

/** The settings of a function. */
export interface Settings {
  /** Path of the inventory file. Absent: the file packaged with the function. */
  readonly inventoryPath?: string | undefined;
  /** First part of every AWS secret's name. */
  readonly prefix: string;
  /** Stage of the deploy, for commands in messages. Absent: the default one. */
  readonly stage?: string | undefined;
  /** The AWS region, as Lambda sets it, for commands in messages. */
  readonly region?: string | undefined;
  /** Addresses of the DNS servers for every question, each `address` or `address:port`. Absent: the system's
   *  servers, then each zone's own. */
  readonly resolvers?: readonly string[] | undefined;
  readonly logLevel: LogLevel;
  /** URL of the queue that `issue` reads. Absent: new requests wait for the schedule. */
  readonly issueQueueUrl?: string | undefined;
  /** URL of the queue that `deploy` reads. Absent: one invocation delivers to all clusters. */
  readonly deployQueueUrl?: string | undefined;
  /** URL of the queue that `notify` reads. Absent: nobody gets notices. */
  readonly notifyQueueUrl?: string | undefined;
  /** ARN of the SNS topic of alarms, which notices by mail go to. Absent: there is none. */
  readonly alarmTopic?: string | undefined;
  /** Whether changes of health are mailed if the inventory says nothing of notices. */
  readonly mailsChanges?: boolean | undefined;
  /** Name of the dashboard in CloudWatch, which notices link to. Absent: they have no link. */
  readonly dashboard?: string | undefined;
  /** URL of SNS, as the AWS SDK reads it. Absent: that of the topic's region. */
  readonly snsEndpoint?: string | undefined;
  /** ARNs of the functions that buttons of the dashboard call. Absent: there is no such button. */
  readonly buttonFunctions?: Readonly<Partial<Record<ButtonFunction, string>>>;
  /** Name of the EventBridge bus for delivery events. Absent: no events are sent. */
  readonly eventBus?: string | undefined;
  /** URL of the API server of the cluster that this process runs in, from the pod's environment. Absent: it
   *  runs in none. */
  readonly kubernetesServer?: string | undefined;
  /** Name of the AWS secret with the webhook's signing secret. */
  readonly webhookSecret: string;
  /** How long after a delivery servers may still serve another certificate
   *  before `status` reports it, in milliseconds. */
  readonly staleAfterMs: number;
  /** Time between two scheduled calls, in milliseconds. No entry for a function without a schedule. */
  readonly intervals: Readonly<Partial<Record<ScheduledFunction, number>>>;
}

/** Names of the functions that buttons of the dashboard call. */
export const buttonFunctions = ['issue', 'deploy', 'pause', 'status'] as const;
/** One of `buttonFunctions`. */
export type ButtonFunction = (typeof buttonFunctions)[number];

/** Names of the functions that can have a schedule. */
export const scheduledFunctions = ['issue', 'deploy', 'probe', 'status', 'discover'] as const;
/** One of `scheduledFunctions`. */
export type ScheduledFunction = (typeof scheduledFunctions)[number];

/** The name of the environment variable with the minutes between two scheduled calls of a function. */
export function intervalVariable(name: ScheduledFunction): string {
  return `CERTRELAY_${name.toUpperCase()}_INTERVAL_MINUTES`;
}

/** The settings in environment variables.
 *  @throws ConfigError `Settings` that names every variable that is wrong. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = [];
  // A template sets an empty variable for "not set".
  const read = (name: string) => environment[name]?.trim() || undefined;

  const prefix = (read('CERTRELAY_PREFIX') ?? 'certrelay').replace(/(?<!\/)\/+$/, '');
  if (!/^[\w+=.@-]+(\/[\w+=.@-]+)*$/.test(prefix) || prefix.length > 128) {
    problems.push(
      'CERTRELAY_PREFIX must be the start of AWS secret names: at most 128 letters, digits and /_+=.@-',
    );
  }
  const level = (read('LOG_LEVEL') ?? 'info').toLowerCase();
  const logLevel = logLevels.find((known) => known === level);
  if (!logLevel) problems.push(`LOG_LEVEL must be one of ${logLevels.join(', ')}`);

  const resolvers = read('CERTRELAY_RESOLVERS')
    ?.split(',')
    .map((text) => text.trim())
    .filter((text) => text !== '');
  for (const resolver of resolvers ?? []) {
    if (!parseEndpoint(resolver)) {
      problems.push(`CERTRELAY_RESOLVERS: "${resolver}" must be an IP address, or address:port`);
    }
  }
  const [issueQueueUrl, deployQueueUrl, notifyQueueUrl] = ['ISSUE', 'DEPLOY', 'NOTIFY'].map((name) => {
    const variable = `CERTRELAY_${name}_QUEUE_URL`;
    const url = read(variable);
    if (url !== undefined && !URL.canParse(url)) problems.push(`${variable} must be the URL of an SQS queue`);
    return url;
  });
  const alarmTopic = read('CERTRELAY_ALARM_TOPIC');
  if (alarmTopic !== undefined && !/^arn:[a-z-]+:sns:[a-z0-9-]+:\d{12}:[\w-]{1,256}$/.test(alarmTopic))
    problems.push('CERTRELAY_ALARM_TOPIC must be the ARN of an SNS topic');
  const dashboard = read('CERTRELAY_DASHBOARD');
  if (dashboard !== undefined && !/^[\w-]{1,255}$/.test(dashboard))
    problems.push('CERTRELAY_DASHBOARD must be the name of a dashboard of CloudWatch');
  const eventBus = read('CERTRELAY_EVENT_BUS');
  if (eventBus !== undefined && !/^[\w./-]{1,256}$/.test(eventBus)) {
    problems.push('CERTRELAY_EVENT_BUS must be the name of an EventBridge bus of this account and region');
  }
  const buttons = buttonFunctions.flatMap((name) => {
    const variable = `CERTRELAY_${name.toUpperCase()}_FUNCTION`;
    const arn = read(variable);
    if (arn !== undefined && !/^arn:[a-z-]+:lambda:[a-z0-9-]+:\d{12}:function:[\w-]{1,140}$/.test(arn))
      problems.push(`${variable} must be the ARN of a function`);
    return arn === undefined ? [] : [[name, arn] as const];
  });
  const minutes = read('CERTRELAY_STALE_AFTER_MINUTES') ?? '60';
  if (!/^\d{1,6}$/.test(minutes)) {
    problems.push('CERTRELAY_STALE_AFTER_MINUTES must be a whole number of minutes');
  }
  const intervals = scheduledFunctions.flatMap((name) => {
    const interval = read(intervalVariable(name));
    if (interval === undefined) return [];
    if (!/^[1-9]\d{0,6}$/.test(interval))
      problems.push(`${intervalVariable(name)} must be a whole number of minutes`);
    return [[name, Number(interval) * 60_000] as const];
  });
  if (problems.length > 0 || !logLevel) {
    throw new ConfigError('Settings', `invalid settings: ${problems.join('; ')}`);
  }
  return {
    prefix,
    stage: read('CERTRELAY_STAGE'),
    region: read('AWS_REGION'),
    logLevel,
    webhookSecret: read('CERTRELAY_WEBHOOK_SECRET') ?? `${prefix}/webhook`,
    inventoryPath: read('CERTRELAY_INVENTORY'),
    resolvers: resolvers && resolvers.length > 0 ? resolvers : undefined,
    issueQueueUrl,
    deployQueueUrl,
    notifyQueueUrl,
    alarmTopic,
    mailsChanges: read('CERTRELAY_MAILS_CHANGES') === 'yes',
    dashboard,
    snsEndpoint: read('AWS_ENDPOINT_URL_SNS'),
    buttonFunctions: Object.fromEntries(buttons),
    eventBus,
    kubernetesServer: serverOf(read('KUBERNETES_SERVICE_HOST'), read('KUBERNETES_SERVICE_PORT')),
    staleAfterMs: Number(minutes) * 60_000,
    intervals: Object.fromEntries(intervals),
  };
}

function serverOf(host: string | undefined, port = '443'): string | undefined {
  if (host === undefined) return undefined;
  return `https://${formatEndpoint({ address: host.replace(/^\[(.*)\]$/, '$1'), port: Number(port) })}`;
}
