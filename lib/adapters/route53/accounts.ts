// The AWS accounts whose hosted zones we may change: our own, and those of the roles in `dns.zones`.
import { Route53Client, type Route53ClientConfig } from '@aws-sdk/client-route-53';
import type { STSClientConfig } from '@aws-sdk/client-sts';
import { once } from '../../async/promise-cache.ts';
import type { ZoneAccess } from '../../certificate/dns-spec.ts';
import type { Clock } from '../../ports/clock.ts';
import { DnsError } from '../../ports/dns.ts';
import { awsTimeouts } from '../aws/timeouts.ts';
import { type ReachRoute53, Route53Calls } from './calls.ts';

/** One AWS account with hosted zones. */
export interface Route53Account {
  readonly calls: Route53Calls;
  /** The account is used only for these names and the names below them. Absent: for any name. */
  readonly matches?: readonly string[];
}

/** How the accounts are reached. */
export interface AccountOptions {
  /** Overrides what the SDK reads from the environment (region, credentials, endpoint). */
  readonly config?: Route53ClientConfig | undefined;
  /** The same for STS, which serves the roles. */
  readonly stsConfig?: STSClientConfig | undefined;
  readonly clock: Clock;
  /** The roles in other accounts, from `dns.zones` of the inventory. */
  readonly roles?: readonly ZoneAccess[] | undefined;
  /** Name of the roles' sessions, which CloudTrail shows. Default: `certrelay`. */
  readonly sessionName?: string | undefined;
}

/** Attempts of the SDK for one call, up to 20 s apart. Route 53 often throttles a busy account. */
const attempts = 6;

/** The function's own account first, then one for each role. Opens no connection. */
export function openAccounts(options: AccountOptions): readonly Route53Account[] {
  const { config, clock, roles = [] } = options;
  const ownClient = makeClient(config);
  const byRole = Map.groupBy(roles, ({ roleArn }) => roleArn);
  return [
    { calls: new Route53Calls(async () => ownClient, clock, "the function's IAM role") },
    ...Array.from(byRole, ([roleArn, accesses]): Route53Account => {
      const externalId = accesses[0]?.externalId;
      return {
        calls: new Route53Calls(reachByRole({ roleArn, externalId }, options), clock, `the role ${roleArn}`),
        matches: accesses.map(({ match }) => match),
      };
    }),
  ];
}

/** How closely an account matches a record name: the length of the longest of its names that the record
 *  equals or is below. 0 if the account takes any name; `undefined` if no name of it matches. */
export function closeness({ matches }: Route53Account, record: string): number | undefined {
  if (!matches) return 0;
  const lengths = matches.filter((name) => isWithin(record, name)).map(({ length }) => length);
  return lengths.length === 0 ? undefined : Math.max(...lengths);
}

/** Whether `name` equals `other` or is below it. */
export function isWithin(name: string, other: string): boolean {
  return name === other || name.endsWith(`.${other}`);
}

/** Reaches Route 53 with the credentials of a role. Makes a new client when they are renewed. The first call
 *  loads the STS client. */
function reachByRole(
  access: Pick<ZoneAccess, 'roleArn' | 'externalId'>,
  { config, stsConfig, clock, sessionName = 'certrelay' }: AccountOptions,
): ReachRoute53 {
  const loading = once(async () => {
    const { RoleSession } = await import('../aws/role-session.ts');
    const fail = (...parameters: ConstructorParameters<typeof DnsError>) => new DnsError(...parameters);
    return new RoleSession({
      ...access,
      namedAt: 'dns.zones',
      fail,
      sessionName,
      clock,
      config: stsConfig,
    });
  });
  let open: { readonly accessKeyId: string; readonly client: Route53Client } | undefined;
  return async (signal) => {
    const credentials = await (await loading()).credentials(signal);
    const { accessKeyId } = credentials;
    if (open?.accessKeyId !== accessKeyId)
      open = { accessKeyId, client: makeClient({ ...config, credentials }) };
    return open.client;
  };
}

function makeClient(config: Route53ClientConfig | undefined): Route53Client {
  return new Route53Client({
    retryMode: 'standard',
    maxAttempts: attempts,
    requestHandler: awsTimeouts,
    ...config,
  });
}
