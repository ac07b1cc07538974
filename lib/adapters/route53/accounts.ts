// The AWS accounts whose hosted zones are ours: the function's own, and those that roles lead into.
import { Route53Client, type Route53ClientConfig } from '@aws-sdk/client-route-53';
import type { STSClientConfig } from '@aws-sdk/client-sts';
import type { ZoneAccess } from '../../certificate/dns-spec.ts';
import type { Clock } from '../../ports/clock.ts';
import { DnsError } from '../../ports/dns.ts';
import { awsTimeouts } from '../aws/timeouts.ts';
import { type ReachRoute53, Route53Calls } from './calls.ts';

/** One account's hosted zones. */
export interface Route53Account {
  readonly calls: Route53Calls;
  /** The names whose zones may be in it, with all below them; absent: any name. */
  readonly matches?: readonly string[];
}

export interface AccountOptions {
  /** Beside what the environment says (region, credentials, endpoint). */
  readonly config?: Route53ClientConfig | undefined;
  readonly stsConfig?: STSClientConfig | undefined;
  readonly clock: Clock;
  /** Roles of other accounts. */
  readonly roles?: readonly ZoneAccess[] | undefined;
  /** Names the sessions of roles. */
  readonly sessionName?: string | undefined;
}

/** Throttling is Route 53's normal answer to a busy account; the SDK waits up to 20 s between attempts. */
const attempts = 6;

/** The function's own account first, then one for each role. */
export function openAccounts(options: AccountOptions): readonly Route53Account[] {
  const { config, clock, roles = [] } = options;
  const own = makeClient(config);
  const byRole = Map.groupBy(roles, ({ roleArn }) => roleArn);
  return [
    { calls: new Route53Calls(async () => own, clock, "the function's IAM role") },
    ...Array.from(byRole, ([roleArn, accesses]): Route53Account => {
      const externalId = accesses[0]?.externalId;
      return {
        calls: new Route53Calls(reachByRole({ roleArn, externalId }, options), clock, `the role ${roleArn}`),
        matches: accesses.map(({ match }) => match),
      };
    }),
  ];
}

/** How close the account's names come to a record: the length of the longest that it is, or is below; 0 where any name will
 *  do; `undefined` where it is below none. */
export function closeness({ matches }: Route53Account, record: string): number | undefined {
  if (!matches) return 0;
  const lengths = matches.filter((name) => isWithin(record, name)).map(({ length }) => length);
  return lengths.length === 0 ? undefined : Math.max(...lengths);
}

/** Whether a name is another, or below it. */
export function isWithin(name: string, other: string): boolean {
  return name === other || name.endsWith(`.${other}`);
}

/** A client with the credentials of a role; another one whenever they are renewed. STS is loaded with the first. */
function reachByRole(
  access: Pick<ZoneAccess, 'roleArn' | 'externalId'>,
  { config, stsConfig, clock, sessionName = 'certrelay' }: AccountOptions,
): ReachRoute53 {
  const loading = once(async () => {
    const { RoleSession } = await import('../aws/role-session.ts');
    const fail = (...told: ConstructorParameters<typeof DnsError>) => new DnsError(...told);
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

function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
