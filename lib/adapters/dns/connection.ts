// DNS for one run: every part asks the same servers, and what is remembered is remembered for all.
import type {
  AwaitVisible,
  FindHostedZone,
  FindNameServers,
  Preflight,
  ResolveAlias,
} from '../../ports/dns.ts';
import { Aliases, endOf } from './aliases.ts';
import { createPreflight } from './preflight.ts';
import { createQuestions } from './questions.ts';
import { createAwaitVisible, type VisibilityOptions } from './visibility.ts';

export type DnsOptions = Omit<VisibilityOptions, 'resolveAlias'>;

export interface DnsConnection {
  readonly resolveAlias: ResolveAlias;
  readonly findNameServers: FindNameServers;
  readonly awaitVisible: AwaitVisible;
  /** @param delegationZone The zone of ours that the inventory keeps for delegated challenges. */
  createPreflight(findZone: FindHostedZone, delegationZone?: string): Preflight;
}

/** Asks nothing before the first question. What it gives lasts one run, because it remembers answers. */
export function connectDns(options: DnsOptions): DnsConnection {
  const resolver = options.resolvers ?? options.network?.resolver;
  const questions = createQuestions();
  const aliases = new Aliases(questions, resolver);
  const resolveAlias: ResolveAlias = async (name, signal) => endOf(await aliases.follow(name, signal));
  return {
    resolveAlias,
    findNameServers: (zone, signal) => questions(signal).nameServers(zone, resolver),
    awaitVisible: createAwaitVisible({ ...options, resolveAlias }),
    createPreflight: (findZone, delegationZone) =>
      createPreflight({
        questions,
        resolver,
        isChosen: options.resolvers !== undefined,
        network: options.network ?? {},
        aliases,
        findZone,
        delegationZone,
      }),
  };
}
