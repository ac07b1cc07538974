// The doubles of Route 53 and DNS, the adapter in front of them, and time that passes only when somebody
// sleeps.
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
  type Route53ClientConfig,
} from '@aws-sdk/client-route-53';
import { connectDns, type DnsConnection } from '../../lib/adapters/dns/connection.ts';
import {
  connectRoute53,
  type Route53Connection,
  type Route53Options,
} from '../../lib/adapters/route53/connection.ts';
import type { ChallengeRecords } from '../../lib/ports/dns.ts';
import { FakeClock } from '../fakes/clock.ts';
import { silentLog } from '../fakes/log.ts';
import { fixedZone } from '../sandbox/dns/answer.ts';
import { type SandboxDns, startDns } from '../sandbox/dns/server.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import { type SandboxRoute53, startRoute53 } from '../sandbox/route53/server.ts';
import { startSts } from '../sandbox/sts/server.ts';
import { type RoleSpec, Sessions } from '../sandbox/sts/sessions.ts';

export interface Opened {
  readonly dns: DnsConnection;
  readonly route53: Route53Connection;
}

export interface Setting {
  readonly journal: Journal;
  readonly faults: Faults;
  readonly clock: FakeClock;
  readonly dns: SandboxDns;
  readonly route53: SandboxRoute53;
  /** Never aborted. */
  readonly signal: AbortSignal;
  /** New adapters, as each run makes them; DNS asks the double and nobody else. */
  connect(config?: Route53ClientConfig): ChallengeRecords;
  open(options?: Partial<Route53Options>): Opened;
  /** Somebody else's change to a zone. */
  write(zone: string, ...changes: readonly Change[]): Promise<void>;
  /** TXT record sets of a zone as `name TTL value value …`. */
  texts(zone: string): readonly string[];
  /** A zone in DNS that is not in Route 53: its name servers, and CNAMEs by name. They may be changed. */
  serveElsewhere(
    zone: string,
    nameServers: readonly string[],
    aliases?: Readonly<Record<string, string>>,
  ): { readonly aliases: Map<string, string> };
  /** How often an API action was called. */
  count(action: string): number;
  stop(): Promise<void>;
}

/** @param roles Roles of other accounts. */
export async function startSetting(roles: readonly RoleSpec[] = []): Promise<Setting> {
  const [journal, faults, clock] = [new Journal(), new Faults(), new FakeClock('2030-01-01T00:00:00Z')];
  const dns = await startDns({ journal, faults });
  const now = () => clock.now().getTime();
  const sessions = new Sessions(roles, now);
  const route53 = await startRoute53({ dns, now, sessions }, { journal, faults });
  const sts = await startSts(sessions, { journal, faults });
  const access = (principal: string, endpoint = route53.url) => ({
    endpoint,
    region: 'eu-central-1',
    credentials: { accessKeyId: accessKeyOf(principal), secretAccessKey: 'none' },
  });
  const open = (options: Partial<Route53Options> = {}): Opened => {
    const resolving = connectDns({ resolvers: [dns.address], clock, log: silentLog });
    const route53Adapter = connectRoute53({
      config: { ...access('issue'), maxAttempts: 1 },
      stsConfig: { ...access('issue', sts.url), maxAttempts: 1 },
      clock,
      log: silentLog,
      random: () => 0.5,
      resolveAlias: resolving.resolveAlias,
      findNameServers: resolving.findNameServers,
      ...options,
    });
    return { dns: resolving, route53: route53Adapter };
  };
  const other = new Route53Client({ ...access('somebody'), maxAttempts: 1 });
  return {
    journal,
    faults,
    clock,
    dns,
    route53,
    signal: new AbortController().signal,
    open,
    connect: (config) => open({ config: { ...access('issue'), maxAttempts: 1, ...config } }).route53.records,
    write: async (zone, ...changes) => {
      await other.send(
        new ChangeResourceRecordSetsCommand({ HostedZoneId: zone, ChangeBatch: { Changes: [...changes] } }),
      );
    },
    texts: (zone) =>
      route53
        .list(zone)
        .filter((set) => set.type === 'TXT')
        .map((set) => [set.name, set.ttl, ...set.values].join(' ')),
    serveElsewhere: (zone, nameServers, aliases = {}) => {
      const known = new Map(Object.entries(aliases));
      const records = () => [
        ...nameServers.map((data) => ({ name: `${zone}.`, type: 'NS' as const, data })),
        ...Array.from(known, ([name, data]) => ({ name: `${name}.`, type: 'CNAME' as const, data })),
      ];
      dns.serve(() => [fixedZone(`${zone}.`, records())]);
      return { aliases: known };
    },
    count: (action) => journal.count({ service: 'route53', action, principal: 'issue' }),
    stop: async () => {
      await Promise.all([dns.stop(), route53.stop(), sts.stop()]);
    },
  };
}

export function txt(name: string, ttl: number, ...values: readonly string[]): ResourceRecordSet {
  return { Name: name, Type: 'TXT', TTL: ttl, ResourceRecords: values.map((Value) => ({ Value })) };
}

export function create(set: ResourceRecordSet): Change {
  return { Action: 'CREATE', ResourceRecordSet: set };
}

export function upsert(set: ResourceRecordSet): Change {
  return { Action: 'UPSERT', ResourceRecordSet: set };
}
