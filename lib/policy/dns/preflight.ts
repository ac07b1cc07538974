// Judges before an order whether DNS lets it succeed, so that none is spent that would fail.
import { challengeName, withoutWildcard } from '../../certificate/names.ts';
import type { PlanEntry } from '../issuance/plan.ts';
import { type CaaRecord, type CaaSubject, findCaaObstacle } from './caa.ts';
import { delegatingRecord, describeNoZone } from './delegation.ts';

/** Names from the first to the last, each but the last with a CNAME to the next. `circle`: the last was there before. `too
 *  long`: the last may have one too, and nobody follows it. */
export interface AliasChain {
  readonly kind: 'ends' | 'circle' | 'too long';
  readonly names: readonly string[];
}

/** A question that got no answer. `isServfail`: the server said SERVFAIL, on which a CA refuses; else it said nothing, which
 *  may be the network of this machine alone. */
export interface Unanswered {
  readonly kind: 'unanswered';
  /** Who did not answer what. */
  readonly problem: string;
  readonly isServfail: boolean;
}

/** Not asked, because the order may need no proof. */
export interface UnaskedQuestion {
  readonly kind: 'unasked';
}

/** What a resolver answers for a zone that only its own network sees so: a CA asks elsewhere, and may be told otherwise. */
export interface PrivateView {
  readonly kind: 'private';
  /** Who answered what. */
  readonly problem: string;
}

/** The hosted zone that would take the challenge's record. `unclear`: there are several, and `problem` says so. `denied`: AWS
 *  lets us not see the zones. `unknown`: AWS did not say. */
export type ZoneFacts =
  | {
      readonly kind: 'found';
      readonly id: string;
      readonly name: string;
      readonly delegationSet: readonly string[];
      /** The name servers that DNS answers for it, those with an address of the delegation set under that one's name. */
      readonly live: readonly string[] | Unanswered | PrivateView;
    }
  | { readonly kind: 'none' }
  | { readonly kind: 'unclear' | 'denied' | 'unknown'; readonly problem: string }
  | UnaskedQuestion;

/** The closest CAA record set of a name, climbing to its parents (RFC 8659 §3). */
export type CaaFacts =
  | { readonly kind: 'found'; readonly at: string; readonly records: readonly CaaRecord[] }
  | { readonly kind: 'none' }
  | Unanswered;

/** What is known of one name. */
export interface NameFacts {
  /** As it is ordered: a wildcard keeps its `*.`. */
  readonly domain: string;
  readonly aliases: AliasChain | Unanswered | UnaskedQuestion;
  /** The name that would take the TXT value. */
  readonly place: string;
  readonly zone: ZoneFacts;
  readonly caa: CaaFacts;
}

export interface PreflightFacts {
  readonly names: readonly NameFacts[];
  /** The zone of ours that the inventory keeps for delegated challenges. */
  readonly delegationZone?: string | undefined;
}

/** Something that stands before an order. */
export interface PreflightProblem {
  /** The name as it is ordered. */
  readonly domain: string;
  /** Whether the order would fail; otherwise it may. */
  readonly blocks: boolean;
  /** Name and type of the record to change: `example.com. NS`. */
  readonly record: string;
  /** What is wrong and how to change the record. */
  readonly message: string;
}

/** Every finding, in the order of the names; none where nothing is known to stand before an order. */
export function judgePreflight(facts: PreflightFacts, ca: CaaSubject): readonly PreflightProblem[] {
  return facts.names.flatMap((name) => [
    ...judgeAliases(name, facts.delegationZone),
    ...judgeZone(name, facts.delegationZone),
    ...judgeCaa(name, ca),
  ]);
}

/** Findings that one message holds; the others are counted. */
const mostTold = 10;

/** A plan's entry that orders, with what was found. Where something stands before the order it waits, for as long as nobody
 *  changes the record, unless `forced`; what may fail the order becomes its warnings. */
export function heedProblems(
  entry: PlanEntry,
  problems: readonly PreflightProblem[],
  forced: boolean,
): PlanEntry {
  const isObstacle = ({ blocks }: PreflightProblem) => blocks && !forced;
  const obstacles = summarize(problems.filter(isObstacle));
  const warnings = summarize(problems.filter((problem) => !isObstacle(problem)));
  const warned = warnings.length === 0 ? {} : { warnings };
  if (obstacles.length === 0) return { ...entry, ...warned };
  const message = `${obstacles.join('; ')}; to order: ${entry.message}`;
  return { name: entry.name, decision: 'wait', reason: 'Preflight', message, ...warned };
}

/** Names share zones, and so their findings. */
function summarize(problems: readonly PreflightProblem[]): readonly string[] {
  const texts = [...new Set(problems.map(({ record, message }) => `${record}: ${message}`))];
  const more = texts.length - mostTold;
  return more > 0 ? [...texts.slice(0, mostTold), `and ${more} more`] : texts;
}

function judgeAliases(
  { domain, aliases }: NameFacts,
  delegationZone: string | undefined,
): PreflightProblem[] {
  const name = challengeName(domain);
  const record = `${name}. CNAME`;
  if (aliases.kind === 'unanswered') return [describeUnanswered(domain, record, aliases)];
  if (aliases.kind === 'ends' || aliases.kind === 'unasked') return [];
  const fault = aliases.kind === 'circle' ? 'lead in a circle' : 'are more than a CA follows';
  const remedy =
    delegationZone === undefined
      ? 'make it a CNAME for one name in a hosted zone of yours, or remove it'
      : `make it "${delegatingRecord(name, delegationZone)}"`;
  const message = `the CNAMEs at ${name} ${fault} (${aliases.names.join(' → ')}); ${remedy}`;
  return [{ domain, blocks: true, record, message }];
}

function judgeZone(
  { domain, aliases, place, zone }: NameFacts,
  delegationZone: string | undefined,
): PreflightProblem[] {
  // Without the end of the chain, the place is a guess.
  if (aliases.kind !== 'ends') return [];
  const name = challengeName(domain);
  switch (zone.kind) {
    case 'unasked':
      return [];
    case 'none': {
      const message = describeNoZone(name, aliases.names.at(-1) ?? name, delegationZone);
      return [{ domain, blocks: true, record: `${name}. CNAME`, message }];
    }
    case 'unclear':
      return [{ domain, blocks: true, record: `${withoutWildcard(domain)}. NS`, message: zone.problem }];
    case 'denied':
    case 'unknown': {
      const blocks = zone.kind === 'denied';
      return [{ domain, blocks, record: `${place}. TXT`, message: zone.problem }];
    }
    case 'found':
      return judgeDelegation(domain, zone);
  }
}

function judgeDelegation(
  domain: string,
  { id, name, delegationSet, live }: Extract<ZoneFacts, { kind: 'found' }>,
): PreflightProblem[] {
  const record = `${name}. NS`;
  if ('kind' in live) {
    return live.kind === 'unanswered'
      ? [describeUnanswered(domain, record, live)]
      : [{ domain, blocks: false, record, message: describePrivate(live, name) }];
  }
  const others = live.filter((server) => !delegationSet.includes(server));
  if (live.length > 0 && others.length === 0) return [];
  const right = `make the NS records of ${name}, at its registrar or in the zone above, ${delegationSet.join(', ')}`;
  const blocks = others.length === live.length;
  const wrong =
    live.length === 0
      ? `DNS does not lead to hosted zone ${name} (${id}): no zone begins there`
      : `DNS leads to ${others.join(', ')} for ${name}, ${blocks ? 'none of which is' : 'which are not'} in the delegation set of hosted zone ${id}`;
  return [{ domain, blocks, record, message: `${wrong}; ${right}` }];
}

function describePrivate({ problem }: PrivateView, name: string): string {
  return `${problem}, which only this network sees; whether DNS leads everybody to hosted zone ${name} cannot be told from here: set CERTRELAY_RESOLVERS to a resolver that sees what a CA does`;
}

function judgeCaa({ domain, caa, zone }: NameFacts, ca: CaaSubject): PreflightProblem[] {
  switch (caa.kind) {
    case 'none':
      return [];
    case 'unanswered':
      return [describeUnanswered(domain, `${withoutWildcard(domain)}. CAA`, caa)];
    case 'found': {
      const obstacle = findCaaObstacle(caa.records, domain.startsWith('*.'), ca);
      if (!obstacle) return [];
      const message = `${obstacle.problem} for ${domain}; at ${caa.at}, ${obstacle.remedy}`;
      return [{ domain, blocks: !isPrivate(zone), record: `${caa.at}. CAA`, message }];
    }
  }
}

function isPrivate(zone: ZoneFacts): boolean {
  return zone.kind === 'found' && 'kind' in zone.live && zone.live.kind === 'private';
}

function describeUnanswered(
  domain: string,
  record: string,
  { problem, isServfail }: Unanswered,
): PreflightProblem {
  const why = isServfail
    ? 'a CA refuses when it is told SERVFAIL; check the name servers of the zone, and its DNSSEC'
    : 'check that the name servers of the zone can be reached';
  return { domain, blocks: isServfail, record, message: `${problem}; ${why}` };
}
