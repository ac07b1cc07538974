// Waits until TXT values are answered by every server that a CA may ask.
import { Slots } from '../../async/map-concurrently.ts';
import { growing, poll } from '../../async/poll.ts';
import { placeOfChallenge } from '../../policy/dns/delegation.ts';
import type { Clock } from '../../ports/clock.ts';
import { type AwaitVisible, DnsError, type ResolveAlias, type TxtValue } from '../../ports/dns.ts';
import type { Log } from '../../ports/log.ts';
import { type DnsNetwork, NameServers, type Server } from './name-servers.ts';
import { createQuestions, type DnsQuestions } from './questions.ts';

export interface VisibilityOptions {
  /** `address[:port]`: asked instead of the zones' own servers. */
  readonly resolvers?: readonly string[] | undefined;
  /** Leads to the name where a value really is. */
  readonly resolveAlias: ResolveAlias;
  readonly clock: Clock;
  readonly log: Log;
  /** How long to wait for a name, in milliseconds: one zone with a broken delegation must not use up the time of all. */
  readonly timeoutMs?: number | undefined;
  /** Where DNS is asked; absent: as a machine on the internet asks. */
  readonly network?: DnsNetwork;
}

/** At one server: a dead one keeps the names of other zones waiting for nothing. */
const questionsAtOnce = 50;
const firstPauseMs = 500;
const longestPauseMs = 5_000;

/** `AwaitVisible` that asks the authoritative servers itself, and lasts one run. Each name has its own patience. A server's
 *  IPv6 address that does not answer is passed over where another answers, since a machine without IPv6 can reach none. Names
 *  fail with DnsError `NotVisible`, or `Lookup` where nobody tells which servers there are. */
export function createAwaitVisible(options: VisibilityOptions): AwaitVisible {
  const { resolvers, network = {} } = options;
  const questionsUntil = createQuestions();
  const known = new WeakMap<AbortSignal, Authorities>();
  const fixed = resolvers?.map((address): Server => ({ label: address, address, family: 4 }));
  return async (values, signal) => {
    const questions = questionsUntil(signal);
    const authorities = known.get(signal) ?? {
      questions,
      nameServers: new NameServers(questions, network),
      fixed,
      slots: new Map(),
    };
    known.set(signal, authorities);
    const names = groupByName(values);
    await Promise.all(names.map((name) => awaitName(name, authorities, options, signal)));
    const unseen = names.filter((name) => !name.isVisible());
    return { failed: new Map(unseen.map((name) => [name.name, name.describe(signal)])) };
  };
}

/** Whom a run asks. */
interface Authorities {
  readonly questions: DnsQuestions;
  readonly nameServers: NameServers;
  /** Asked instead of the zones' own. */
  readonly fixed: readonly Server[] | undefined;
  /** By address. */
  readonly slots: Map<string, Slots>;
}

/** Resolves when the name is visible, or it has been waited for long enough. */
async function awaitName(
  name: AwaitedName,
  { questions, nameServers, fixed, slots }: Authorities,
  { resolveAlias, clock, log, timeoutMs = 120_000 }: VisibilityOptions,
  signal: AbortSignal,
): Promise<void> {
  const ask = async (server: Server): Promise<void> => {
    const own = slots.get(server.address) ?? new Slots(questionsAtOnce);
    slots.set(server.address, own);
    await own.use(() => name.ask(server, questions));
  };
  const look = async (): Promise<boolean> => {
    await name.locate(async () => {
      const place = placeOfChallenge(name.name, await resolveAlias(name.name, signal));
      return { place, servers: fixed ?? (await nameServers.find(place)) };
    });
    await Promise.all(name.openServers().map(ask));
    const isVisible = name.isVisible();
    if (!isVisible) log.debug('TXT values not visible yet', { name: name.name });
    return isVisible;
  };
  await poll(look, (isVisible) => isVisible, {
    clock,
    signal,
    pauseMs: growing(firstPauseMs, 1.5, longestPauseMs),
    untilMs: clock.now().getTime() + timeoutMs,
  });
}

function groupByName(values: readonly TxtValue[]): readonly AwaitedName[] {
  const groups = Map.groupBy(values, ({ name }) => name);
  return Array.from(
    groups,
    ([name, own]) =>
      new AwaitedName(
        name,
        own.map(({ value }) => value),
      ),
  );
}

/** What each server last said of one name. */
class AwaitedName {
  readonly name: string;
  /** Where its values are: the name itself, or the end of its CNAMEs. */
  #place: string;
  readonly #values: readonly string[];
  #servers: readonly Server[] = [];
  /** `seen`: every value. `missing`: an answer without them. `silent`: no answer. */
  readonly #said = new Map<Server, 'seen' | 'missing' | 'silent'>();
  #problem: unknown;

  constructor(name: string, values: readonly string[]) {
    this.name = name;
    this.#place = name;
    this.#values = values;
  }

  /** Finds the place and its servers; where that fails, the next round tries again. */
  async locate(
    find: () => Promise<{ readonly place: string; readonly servers: readonly Server[] }>,
  ): Promise<void> {
    if (this.#servers.length > 0) return;
    try {
      const { place, servers } = await find();
      this.#place = place;
      this.#servers = servers;
    } catch (error) {
      this.#problem = error;
    }
  }

  /** Servers still to be asked. */
  openServers(): readonly Server[] {
    return this.#servers.filter((server) => this.#said.get(server) !== 'seen');
  }

  async ask(server: Server, questions: DnsQuestions): Promise<void> {
    try {
      const answered = new Set(await questions.texts(this.#place, server.address));
      this.#said.set(server, this.#values.every((value) => answered.has(value)) ? 'seen' : 'missing');
    } catch (error) {
      this.#problem = error;
      this.#said.set(server, 'silent');
    }
  }

  isVisible(): boolean {
    const isSeen = this.#servers.some((server) => this.#said.get(server) === 'seen');
    return isSeen && this.#laggards().length === 0;
  }

  describe(signal: AbortSignal): DnsError {
    const cause = signal.aborted ? signal.reason : this.#problem;
    if (this.#servers.length === 0) {
      const message = `the name servers for ${this.name} could not be found; check that its zone is delegated`;
      return new DnsError('Lookup', message, { cause });
    }
    const laggards = this.#laggards().map((server) => server.label);
    const names = (laggards.length > 0 ? laggards : this.#servers.map((server) => server.label)).join(', ');
    const message = `${names} still did not answer the TXT value at ${this.#place}; check that its zone's NS records are those of the hosted zone in Route 53`;
    return new DnsError('NotVisible', message, { cause });
  }

  #laggards(): readonly Server[] {
    return this.#servers.filter((server) => {
      const said = this.#said.get(server);
      return said !== 'seen' && !(said === 'silent' && server.family === 6);
    });
  }
}
