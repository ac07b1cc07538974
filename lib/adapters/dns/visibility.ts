// Waits until every name server that a CA may ask answers the TXT values of challenges.
import { Slots } from '../../async/map-concurrently.ts';
import { growing, poll } from '../../async/poll.ts';
import { challengeRecordName } from '../../policy/dns/delegation.ts';
import type { Clock } from '../../ports/clock.ts';
import { type AwaitVisible, DnsError, type ResolveAlias, type TxtValue } from '../../ports/dns.ts';
import type { Log } from '../../ports/log.ts';
import { type DnsNetwork, type NameServer, NameServers } from './name-servers.ts';
import { createQueries, type DnsQueries } from './queries.ts';

/** How DNS is asked, and for how long. */
export interface VisibilityOptions {
  /** Resolvers as `address[:port]` that are asked instead of the zones' own servers. */
  readonly resolvers?: readonly string[] | undefined;
  /** Follows the CNAMEs of a challenge name. */
  readonly resolveAlias: ResolveAlias;
  readonly clock: Clock;
  readonly log: Log;
  /** Timeout for each name, so that a zone with a broken delegation does not use up the time of the others.
   *  Default: 2 minutes. */
  readonly timeoutMs?: number | undefined;
  /** Default: as any machine on the internet reaches DNS. */
  readonly network?: DnsNetwork;
}

/** Queries under way to one server. Each server has its own limit, so that a dead one does not delay the
 *  names of other zones. */
const queriesAtOnce = 50;
const firstPauseMs = 500;
const longestPauseMs = 5_000;

/** `AwaitVisible` for one run. Asks the authoritative servers directly. A server at an IPv6 address that does
 *  not answer is ignored if another server has the values, because this machine may have no IPv6. A name
 *  fails with DnsError `NotVisible`, or `Lookup` if its name servers cannot be found. */
export function createAwaitVisible(options: VisibilityOptions): AwaitVisible {
  const { resolvers, network = {} } = options;
  const queriesFor = createQueries();
  const bySignal = new WeakMap<AbortSignal, Authorities>();
  const fixed = resolvers?.map((address): NameServer => ({ label: address, address, family: 4 }));
  return async (values, signal) => {
    const queries = queriesFor(signal);
    const authorities = bySignal.get(signal) ?? {
      queries,
      nameServers: new NameServers(queries, network),
      fixed,
      slots: new Map(),
    };
    bySignal.set(signal, authorities);
    const names = groupByName(values);
    await Promise.all(names.map((name) => awaitName(name, authorities, options, signal)));
    const unseen = names.filter((name) => !name.isVisible());
    return { failed: new Map(unseen.map((name) => [name.name, name.describe(signal)])) };
  };
}

/** The servers that a run asks. */
interface Authorities {
  readonly queries: DnsQueries;
  readonly nameServers: NameServers;
  /** Servers that are asked instead of the zones' own. */
  readonly fixed: readonly NameServer[] | undefined;
  /** Limits of `queriesAtOnce`, by address of the server. */
  readonly slots: Map<string, Slots>;
}

/** Resolves when the name is visible, its timeout has passed, or the signal is aborted. */
async function awaitName(
  name: AwaitedName,
  { queries, nameServers, fixed, slots }: Authorities,
  { resolveAlias, clock, log, timeoutMs = 120_000 }: VisibilityOptions,
  signal: AbortSignal,
): Promise<void> {
  const query = async (server: NameServer): Promise<void> => {
    const serverSlots = slots.get(server.address) ?? new Slots(queriesAtOnce);
    slots.set(server.address, serverSlots);
    await serverSlots.use(() => name.query(server, queries));
  };
  const queryAll = async (): Promise<boolean> => {
    await name.locate(async () => {
      const record = challengeRecordName(name.name, await resolveAlias(name.name, signal));
      return { record, servers: fixed ?? (await nameServers.find(record)) };
    });
    await Promise.all(name.openServers().map(query));
    const isVisible = name.isVisible();
    if (!isVisible) log.debug('TXT values not visible yet', { name: name.name });
    return isVisible;
  };
  await poll(queryAll, (isVisible) => isVisible, {
    clock,
    signal,
    pauseMs: growing(firstPauseMs, 1.5, longestPauseMs),
    untilMs: clock.now().getTime() + timeoutMs,
  });
}

function groupByName(values: readonly TxtValue[]): readonly AwaitedName[] {
  const groups = Map.groupBy(values, ({ name }) => name);
  return Array.from(groups, ([name, own]) => new AwaitedName(name, own));
}

/** The last answer of each server about one challenge name. */
class AwaitedName {
  readonly name: string;
  /** The record with its values: the name itself, or the end of its CNAMEs. */
  #record: string;
  readonly #values: readonly TxtValue[];
  #servers: readonly NameServer[] = [];
  /** `seen`: the answer has every value, or one as good. `missing`: it does not. `silent`: there was none. */
  readonly #answers = new Map<NameServer, 'seen' | 'missing' | 'silent'>();
  #problem: unknown;

  constructor(name: string, values: readonly TxtValue[]) {
    this.name = name;
    this.#record = name;
    this.#values = values;
  }

  /** Finds the record and its servers, unless they are known. After a failure the next round tries
   *  again. */
  async locate(
    find: () => Promise<{ readonly record: string; readonly servers: readonly NameServer[] }>,
  ): Promise<void> {
    if (this.#servers.length > 0) return;
    try {
      const { record, servers } = await find();
      this.#record = record;
      this.#servers = servers;
    } catch (error) {
      this.#problem = error;
    }
  }

  /** The servers that have not answered every value yet. */
  openServers(): readonly NameServer[] {
    return this.#servers.filter((server) => this.#answers.get(server) !== 'seen');
  }

  /** Asks one server for the values and keeps its answer. Never rejects. */
  async query(server: NameServer, queries: DnsQueries): Promise<void> {
    try {
      const answered = await queries.texts(this.#record, server.address);
      const isThere = ({ value, isMetBy }: TxtValue) =>
        answered.includes(value) || (isMetBy !== undefined && answered.some(isMetBy));
      this.#answers.set(server, this.#values.every(isThere) ? 'seen' : 'missing');
    } catch (error) {
      this.#problem = error;
      this.#answers.set(server, 'silent');
    }
  }

  /** Whether at least one server has every value, and no server has to be waited for. */
  isVisible(): boolean {
    const isSeen = this.#servers.some((server) => this.#answers.get(server) === 'seen');
    return isSeen && this.#laggards().length === 0;
  }

  /** The error for a name that is not visible. */
  describe(signal: AbortSignal): DnsError {
    const cause = signal.aborted ? signal.reason : this.#problem;
    if (this.#servers.length === 0) {
      const message = `the name servers for ${this.name} could not be found; check that its zone is delegated`;
      return new DnsError('Lookup', message, { cause });
    }
    const laggards = this.#laggards().map((server) => server.label);
    const names = (laggards.length > 0 ? laggards : this.#servers.map((server) => server.label)).join(', ');
    const message = `${names} still did not answer the TXT value at ${this.#record}; check that its zone's NS records are those of the hosted zone in Route 53`;
    return new DnsError('NotVisible', message, { cause });
  }

  /** The servers that must still answer: all without the values, except silent ones at IPv6 addresses. */
  #laggards(): readonly NameServer[] {
    return this.#servers.filter((server) => {
      const answer = this.#answers.get(server);
      return answer !== 'seen' && !(answer === 'silent' && server.family === 6);
    });
  }
}
