// Judges facts of DNS: whether delegation, challenge aliases and CAA let an order succeed.
import { challengeName, withoutWildcard } from '../../certificate/names.ts';
import { listSome } from '../bounds.ts';
import type { PlanEntry } from '../issuance/plan.ts';
import { type CaaRecord, type CaaSubject, findCaaObstacle } from './caa.ts';
import { delegatingRecord, describeNoZone } from './delegation.ts';

/** The names that CNAMEs lead through, first to last. `ends`: the last one has no CNAME. `circle`: the
 *  last one is in the list twice. `too long`: more CNAMEs than a CA follows, so the last one was not
 *  asked. */
export interface AliasChain {
  readonly kind: 'ends' | 'circle' | 'too long';
  readonly names: readonly string[];
}

/** A DNS question without an answer. `isServfail`: a server answered SERVFAIL, and a CA then refuses.
 *  Otherwise no server answered, which may be a problem of this machine's network only. */
export interface Unanswered {
  readonly kind: 'unanswered';
  /** Which server did not answer which question. */
  readonly problem: string;
  readonly isServfail: boolean;
}

/** A question that was not asked, because the order may need no new proof of the name. */
export interface UnaskedQuestion {
  readonly kind: 'unasked';
}

/** An answer that only this machine's network gives (split DNS). A CA may get another one. */
export interface PrivateView {
  readonly kind: 'private';
  /** Which server answered what. */
  readonly problem: string;
}

/** The hosted zone for the challenge's record. `none`: no zone holds the name. `unclear`: several do, and
 *  DNS leads to none of them or it is unknown to which. `denied`: AWS denies access to the zones.
 *  `unknown`: the call failed. */
export type ZoneFacts =
  | {
      readonly kind: 'found';
      readonly id: string;
      readonly name: string;
      readonly delegationSet: readonly string[];
      /** The zone's name servers in DNS. A server with an address of the delegation set has the name it
       *  has there. */
      readonly live: readonly string[] | Unanswered | PrivateView;
    }
  | { readonly kind: 'none' }
  | { readonly kind: 'unclear' | 'denied' | 'unknown'; readonly problem: string }
  | UnaskedQuestion;

/** The CAA record set that applies to a name: its own, or that of the closest parent (RFC 8659 §3). */
export type CaaFacts =
  | { readonly kind: 'found'; readonly at: string; readonly records: readonly CaaRecord[] }
  | { readonly kind: 'none' }
  | Unanswered;

/** What DNS and Route 53 say of one name. */
export interface NameFacts {
  /** As in the order: a wildcard keeps its `*.`. */
  readonly domain: string;
  readonly aliases: AliasChain | Unanswered | UnaskedQuestion;
  /** The name that would get the TXT value. */
  readonly recordName: string;
  readonly zone: ZoneFacts;
  readonly caa: CaaFacts;
}

/** Everything that is judged before one order. */
export interface PreflightFacts {
  readonly names: readonly NameFacts[];
  /** `dns.delegationZone` of the inventory: our zone for delegated challenges. */
  readonly delegationZone?: string | undefined;
}

/** A DNS problem that was found before an order. */
export interface PreflightProblem {
  /** The name as in the order. */
  readonly domain: string;
  /** True if the order would fail; false if it may. */
  readonly blocks: boolean;
  /** Name and type of the record to change: `example.com. NS`. */
  readonly record: string;
  /** What is wrong and how to change the record. */
  readonly message: string;
}

/** All problems, in the order of the names; empty if none is known. */
export function judgePreflight(facts: PreflightFacts, ca: CaaSubject): readonly PreflightProblem[] {
  return facts.names.flatMap((name) => [
    ...judgeAliases(name, facts.delegationZone),
    ...judgeZone(name, facts.delegationZone),
    ...judgeCaa(name, ca),
  ]);
}

/** How many problems one message lists; the others are counted. */
const mostListed = 10;

/** Applies the problems to a plan's entry that orders. With a blocking problem, the entry waits (reason
 *  `Preflight`) until the record is changed. All other problems become warnings of the entry.
 *  @param forced Whether `force` was requested: blocking problems are warnings then. */
export function heedProblems(
  entry: PlanEntry,
  problems: readonly PreflightProblem[],
  forced: boolean,
): PlanEntry {
  const isObstacle = ({ blocks }: PreflightProblem) => blocks && !forced;
  const obstacles = summarize(problems.filter(isObstacle));
  const warnings = summarize(problems.filter((problem) => !isObstacle(problem)));
  const withWarnings = warnings.length === 0 ? {} : { warnings };
  if (obstacles.length === 0) return { ...entry, ...withWarnings };
  const message = `${obstacles.join('; ')}; to order: ${entry.message}`;
  return { name: entry.name, decision: 'wait', reason: 'Preflight', message, ...withWarnings };
}

/** One line per record and message: several names may have the same problem in one zone. */
function summarize(problems: readonly PreflightProblem[]): readonly string[] {
  const texts = [...new Set(problems.map(({ record, message }) => `${record}: ${message}`))];
  return listSome(texts, mostListed);
}

function judgeAliases(
  { domain, aliases }: NameFacts,
  delegationZone: string | undefined,
): PreflightProblem[] {
  const name = challengeName(domain);
  const record = `${name}. CNAME`;
  if (aliases.kind === 'unanswered') return [describeUnanswered(domain, record, aliases)];
  if (aliases.kind === 'ends' || aliases.kind === 'unasked') return [];
  const fault = aliases.kind === 'circle' ? 'form a circle' : 'are more than a CA follows';
  const remedy =
    delegationZone === undefined
      ? 'make it a CNAME to one name in a hosted zone of yours, or remove it'
      : `make it "${delegatingRecord(name, delegationZone)}"`;
  const message = `the CNAMEs at ${name} ${fault} (${aliases.names.join(' → ')}); ${remedy}`;
  return [{ domain, blocks: true, record, message }];
}

function judgeZone(
  { domain, aliases, recordName, zone }: NameFacts,
  delegationZone: string | undefined,
): PreflightProblem[] {
  // If the end of the chain is unknown, so is the zone.
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
      return [{ domain, blocks, record: `${recordName}. TXT`, message: zone.problem }];
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
  const remedy = `set the NS records of ${name}, at its registrar or in the parent zone, to ${delegationSet.join(', ')}`;
  const blocks = others.length === live.length;
  const wrong =
    live.length === 0
      ? `DNS does not lead to hosted zone ${name} (${id}): it has no NS records for ${name}`
      : `DNS leads to ${others.join(', ')} for ${name}, ${blocks ? 'none of which is' : 'which are not'} in the delegation set of hosted zone ${id}`;
  return [{ domain, blocks, record, message: `${wrong}; ${remedy}` }];
}

function describePrivate({ problem }: PrivateView, name: string): string {
  return `${problem}, which only this network sees, so it is unknown whether public DNS leads to hosted zone ${name}: set CERTRELAY_RESOLVERS to a resolver that sees public DNS`;
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
      // A CA that does not say by which name it reads CAA may not read it at all.
      const blocks = ca.identities.length > 0 && !isPrivate(zone);
      return [{ domain, blocks, record: `${caa.at}. CAA`, message }];
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
    ? 'a CA refuses on SERVFAIL; check the name servers of the zone, and its DNSSEC'
    : 'check that the name servers of the zone can be reached';
  return { domain, blocks: isServfail, record, message: `${problem}; ${why}` };
}
