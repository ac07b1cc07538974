// Port to the log: one JSON line per event, in the past tense, with fixed fields.

/** The fields of a log line. Besides these, an event may have fields of its own. Never a key, a token or
 *  PEM. */
export interface LogFields {
  readonly certificate?: string | undefined;
  readonly names?: readonly string[] | undefined;
  readonly reason?: string | undefined;
  readonly orderUrl?: string | undefined;
  readonly version?: string | undefined;
  readonly ms?: number | undefined;
  readonly [field: string]: unknown;
}

/** Every event there is. Alarms and people's filters count them, so each is a public name:
 *  `docs/log-events.md` says what it means, and the changelog names each one that is renamed. */
export const logEvents = [
  'account contact updated',
  'account imported',
  'account key exchanged',
  'account registered',
  'account URL ignored',
  'agent deregistered',
  'agent failed',
  'agent not recorded',
  'agent reconciled',
  'agent silent',
  'API server awaited',
  'authorizations not read',
  'CA added names',
  'CA explained a renewal',
  'CA not asked about renewal',
  'CA not asked before the order',
  'certificate allowed again',
  'certificate delivered',
  'certificate failed',
  'certificate imported',
  'certificate issued',
  'certificate judged',
  'certificate kept in grace',
  'certificate no longer requested',
  'certificate not allowed',
  'certificate not delivered',
  'certificate not described',
  'certificate not probed',
  'certificate not seen served',
  'certificate not served',
  'certificate not served yet',
  'certificate not signed yet',
  'certificate paused',
  'certificate postponed',
  'certificate registered',
  'certificate resumed',
  'certificate revoked',
  'certificate served',
  'chain incomplete',
  'channel not recorded',
  'claim not given back',
  'claim taken over',
  'cluster call retried',
  'clusters delegated',
  'clusters not delegated',
  'comparison not sent',
  'continuation ended',
  'continuation not sent',
  'continuation sent',
  'copy of a Secret kept',
  'delivery announced',
  'delivery failed',
  'delivery frozen',
  'delivery not announced',
  'delivery not signed',
  'delivery pending',
  'delivery planned',
  'delivery postponed',
  'delivery refused',
  'delivery resumed',
  'delivery rolled back',
  'delivery signed',
  'deploy finished',
  'discovered object refused',
  'dns-01 taken instead of dns-persist-01',
  'event not put',
  'GitHub signature accepted',
  'health changed',
  'health not noted',
  'health not told',
  'hosted zone not used',
  'installation not read',
  'installation not recorded',
  'invocation failed',
  'issue finished',
  'kind not discovered',
  'message refused',
  'messages failed',
  'name taken',
  'notice dropped',
  'notice not queued',
  'notice not sent',
  'notice postponed',
  'notice sent',
  'notices planned',
  'notices not handed over',
  'order batch started',
  'order created',
  'order not rehearsed',
  'order not resumed',
  'order rehearsed',
  'order requested again',
  'order resumed',
  'order with replaces refused',
  'orphan cleaned up',
  'orphan not cleaned up',
  'other names not read',
  'other profile given',
  'other users not listed',
  'preferred chain not offered',
  'preflight failed',
  'preflight warned',
  'private keys exported',
  'probe finished',
  'registration refused',
  'renewal info ignored',
  'renewal info not recorded',
  'request answered',
  'request failed',
  'revocation postponed',
  'Secret not pruned',
  'Secret contested',
  'Secret pruned',
  'Secrets read one by one',
  'signature refused',
  'signatures not checked',
  'specification not read',
  'state not recorded',
  'status finished',
  'tags disagreed',
  'target frozen',
  'target unchanged',
  'trouble acknowledged',
  'TXT values added',
  'TXT values not removed',
  'TXT values not visible yet',
  'TXT values removed',
  'value not compared',
  'zone changed by somebody else',
] as const;

/** The name of a log event. */
export type LogEvent = (typeof logEvents)[number];

/** Writes log lines. The level says what a person has to do. */
export interface Log {
  /** A detail that helps to find a fault; nothing to do. */
  debug(event: LogEvent, fields?: LogFields): void;
  /** Something has changed as it should; nothing to do. */
  info(event: LogEvent, fields?: LogFields): void;
  /** Something went wrong, and Certrelay tries it again; nothing to do yet. */
  warn(event: LogEvent, fields?: LogFields): void;
  /** A person must act. */
  error(event: LogEvent, fields?: LogFields): void;
}
