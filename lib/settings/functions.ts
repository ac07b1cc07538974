// The settings of every function: read once from the environment, every mistake reported together.
import { formatEndpoint, parseEndpoint } from '../certificate/endpoint.ts';
import { ConfigError } from '../ports/errors.ts';

export const logLevels = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof logLevels)[number];

export interface Settings {
  /** Path of the inventory file; absent: the one packaged beside the function. */
  readonly inventoryPath?: string | undefined;
  /** First part of every AWS secret's name. */
  readonly prefix: string;
  /** `host:port` of the servers asked for every DNS question; absent: the system's, then each zone's own. */
  readonly resolvers?: readonly string[] | undefined;
  readonly logLevel: LogLevel;
  /** URL of the queue that the issue function reads; absent: whoever asks waits for the schedule. */
  readonly issueQueueUrl?: string | undefined;
  /** URL of the queue that the deploy function reads; absent: one pass goes into all clusters. */
  readonly deployQueueUrl?: string | undefined;
  /** Name of the EventBridge bus that deliveries are told to; absent: nobody is told. */
  readonly eventBus?: string | undefined;
  /** URL of the API server of the cluster that this runs in, as Kubernetes tells every pod; absent: in none. */
  readonly kubernetesServer?: string | undefined;
  /** Name of the AWS secret that holds the webhook's signing secret. */
  readonly webhookSecret: string;
  /** How long after its delivery another certificate may still be served before a person must look, in milliseconds. */
  readonly staleAfterMs: number;
  /** How often the schedules call, in milliseconds; absent for a function that only people call. */
  readonly intervals: Readonly<Partial<Record<ScheduledFunction, number>>>;
}

/** Functions that a schedule may call. */
export const scheduledFunctions = ['issue', 'deploy', 'probe', 'status', 'discover'] as const;
export type ScheduledFunction = (typeof scheduledFunctions)[number];

/** Environment variable that tells how often a schedule calls a function, in minutes. */
export function intervalVariable(name: ScheduledFunction): string {
  return `CERTRELAY_${name.toUpperCase()}_INTERVAL_MINUTES`;
}

/** Settings from environment variables. @throws ConfigError `Settings`, naming every variable that is wrong. */
export function readSettings(environment: Readonly<Record<string, string | undefined>>): Settings {
  const problems: string[] = [];
  // An empty variable is what a template leaves behind for "not set".
  const read = (name: string) => environment[name]?.trim() || undefined;

  const prefix = (read('CERTRELAY_PREFIX') ?? 'certrelay').replace(/(?<!\/)\/+$/, '');
  if (!/^[\w+=.@-]+(\/[\w+=.@-]+)*$/.test(prefix) || prefix.length > 128) {
    problems.push(
      'CERTRELAY_PREFIX must be a name for AWS secrets: letters, digits and /_+=.@-, at most 128',
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
  const [issueQueueUrl, deployQueueUrl] = ['CERTRELAY_ISSUE_QUEUE_URL', 'CERTRELAY_DEPLOY_QUEUE_URL'].map(
    (name) => {
      const url = read(name);
      if (url !== undefined && !URL.canParse(url)) problems.push(`${name} must be the URL of an SQS queue`);
      return url;
    },
  );
  const eventBus = read('CERTRELAY_EVENT_BUS');
  if (eventBus !== undefined && !/^[\w./-]{1,256}$/.test(eventBus)) {
    problems.push('CERTRELAY_EVENT_BUS must be the name of an EventBridge bus of this account and region');
  }
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
    throw new ConfigError('Settings', `settings to mend: ${problems.join('; ')}`);
  }
  return {
    prefix,
    logLevel,
    webhookSecret: read('CERTRELAY_WEBHOOK_SECRET') ?? `${prefix}/webhook`,
    inventoryPath: read('CERTRELAY_INVENTORY'),
    resolvers: resolvers && resolvers.length > 0 ? resolvers : undefined,
    issueQueueUrl,
    deployQueueUrl,
    eventBus,
    kubernetesServer: serverOf(read('KUBERNETES_SERVICE_HOST'), read('KUBERNETES_SERVICE_PORT')),
    staleAfterMs: Number(minutes) * 60_000,
    intervals: Object.fromEntries(intervals),
  };
}

function serverOf(host: string | undefined, port = '443'): string | undefined {
  if (host === undefined) return undefined;
  return `https://${formatEndpoint({ address: host, port: Number(port) })}`;
}
