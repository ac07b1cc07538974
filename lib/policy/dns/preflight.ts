// Judges facts of DNS: whether delegation, challenge aliases and CAA let an order succeed.
import { challengeName, withoutWildcard } from '../../certificate/names.ts';
import { listSome, nameSome } from '../bounds.ts';
import { withNeed } from '../issuance/decision.ts';
import type { PlanEntry } from '../issuance/plan.ts';
import { type CaaSubject, findCaaObstacle } from './caa.ts';
import { delegatingRecord, describeNoZone, describeOwnAlias } from './delegation.ts';
import { describeBrokenChain } from './dnssec.ts';
import { provesDomain, provingUris } from './persistent-record.ts';
import type {
  FoundZoneFacts,
  NameFacts,
  PreflightFacts,
  PrivateView,
  Unanswered,
  ZoneFacts,
} from './preflight-facts.ts';
import { explainUnanswered, isAnswered } from './unanswered.ts';

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

/** All problems, in the order of the names; empty if none is known. A persistent record that proves the name
 *  already makes problems of its zone warnings: an order does not write it again.
 *  @param now Whether such a record has ended. Absent: none proves a name. */
export function judgePreflight(
  facts: PreflightFacts,
  ca: CaaSubject,
  now?: Date,
): readonly PreflightProblem[] {
  return facts.names.flatMap((name) => {
    const ofZone = judgeZone(name, facts.delegationZone);
    const isProved = isProvedByRecord(name, ca, now);
    return [
      ...judgeAliases(name, facts.delegationZone),
      ...ofZone.map((problem) => (isProved ? { ...problem, blocks: false } : problem)),
      ...judgeChains(name, ca),
      ...judgeCaa(name, ca),
    ];
  });
}

function isProvedByRecord(
  { domain, zone, texts = [] }: NameFacts,
  { identities, accountUrl: url, thumbprint, accountHashPrefix }: CaaSubject,
  now: Date | undefined,
): boolean {
  if (url === undefined || thumbprint === undefined || now === undefined) return false;
  // An order looks for the record in a hosted zone of ours, whatever DNS says.
  if (zone.kind !== 'found') return false;
  const issuers = identities.map((identity) => identity.toLowerCase());
  const accountUris = provingUris(domain, { url, thumbprint }, accountHashPrefix);
  return texts.some((text) => provesDomain(text, domain, { issuers, accountUris, now }));
}

/** The problems of one kind of proof, where the CA may take another kind: those of a name hold the order back
 *  only if the other kind of proof of that name does, too. */
export function allowFallback(
  problems: readonly PreflightProblem[],
  ofFallback: readonly PreflightProblem[],
): readonly PreflightProblem[] {
  const blocked = new Set(ofFallback.filter(({ blocks }) => blocks).map(({ domain }) => domain));
  return problems.map((problem) => ({ ...problem, blocks: problem.blocks && blocked.has(problem.domain) }));
}

/** How many obstacles one message has in full, how many records it names if there are more, and how many
 *  warnings an entry has. */
const [mostInFull, mostNamed, mostListed] = [3, 5, 10];

/** Applies the problems to a plan's entry that orders. With a blocking problem, the entry waits (reason
 *  `PreflightFailed`) until the record is changed. All other problems become warnings of the entry.
 *  @param forced Whether `force` was requested: blocking problems are warnings then. */
export function heedProblems(
  entry: PlanEntry,
  problems: readonly PreflightProblem[],
  forced: boolean,
): PlanEntry {
  const isObstacle = ({ blocks }: PreflightProblem) => blocks && !forced;
  const obstacles = describeEach(problems.filter(isObstacle));
  const warnings = listSome(describeEach(problems.filter((problem) => !isObstacle(problem))), mostListed);
  const withWarnings = warnings.length === 0 ? {} : { warnings };
  if (obstacles.length === 0) return { ...entry, ...withWarnings };
  const message = withNeed(condense(obstacles), entry.message);
  return { name: entry.name, decision: 'wait', reason: 'PreflightFailed', message, ...withWarnings };
}

/** One line per record and message: several names may have the same problem in one zone. */
function describeEach(problems: readonly PreflightProblem[]): readonly string[] {
  return [...new Set(problems.map(({ record, message }) => `${record}: ${message}`))];
}

/** A few obstacles in full. Of more: how many, the first with what to do, and the records of others. */
function condense(obstacles: readonly string[]): string {
  if (obstacles.length <= mostInFull) return obstacles.join('; ');
  const records = [...new Set(obstacles.map((text) => text.slice(0, text.indexOf(':'))))];
  return `${obstacles.length} records are in the way: ${nameSome(records, mostNamed)}; the first: ${obstacles[0]}`;
}

function judgeAliases(facts: NameFacts, delegationZone: string | undefined): PreflightProblem[] {
  const { domain, aliases, ownAlias, zone } = facts;
  // Without a zone the order fails, wherever CNAMEs lead.
  if (zone.kind === 'no zones') return [];
  const name = challengeOf(facts);
  const record = `${name}. CNAME`;
  if (ownAlias) {
    const message = describeOwnAlias(name, ownAlias, delegationZone);
    return [{ domain, blocks: true, record, message }];
  }
  if (aliases.kind === 'unanswered') {
    return zone.kind === 'none' ? [] : [describeUnanswered(domain, record, aliases)];
  }
  if (aliases.kind === 'ends' || aliases.kind === 'unasked') return [];
  const fault = aliases.kind === 'circle' ? 'form a circle' : 'are more than a CA follows';
  const remedy =
    delegationZone === undefined
      ? 'make it a CNAME to one name in a hosted zone of yours, or remove it'
      : `make it "${delegatingRecord(name, delegationZone)}"`;
  const message = `the CNAMEs at ${name} ${fault} (${aliases.names.join(' → ')}); ${remedy}`;
  return [{ domain, blocks: true, record, message }];
}

function challengeOf({ domain, challenge }: NameFacts): string {
  return challenge ?? challengeName(domain);
}

function judgeZone(facts: NameFacts, delegationZone: string | undefined): PreflightProblem[] {
  const { domain, aliases, recordName, zone, ownAlias } = facts;
  const name = challengeOf(facts);
  if (zone.kind === 'no zones') {
    const message = describeNoZone(name, name, delegationZone);
    return [{ domain, blocks: true, record: `${name}. CNAME`, message }];
  }
  // A CNAME of our own has to go first.
  if (ownAlias) return [];
  if (aliases.kind === 'unanswered' && zone.kind === 'none') {
    const message = `${describeNoZone(name, name, delegationZone)}; whether a CNAME there leads to one is unknown: ${aliases.problem}`;
    return [{ domain, blocks: isAnswered(aliases), record: `${name}. CNAME`, message }];
  }
  // If the end of the chain is unknown, so is the zone.
  if (aliases.kind !== 'ends') return [];
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
      return [...judgeDelegation(domain, zone), ...judgeUnused(domain, zone), ...judgeCut(facts, zone)];
  }
}

function judgeUnused(domain: string, { id, name, unused = [] }: FoundZoneFacts): PreflightProblem[] {
  return unused.map((other) => ({
    domain,
    blocks: false,
    record: `${other.name}. NS`,
    message: `DNS does not lead to hosted zone ${other.name} (${other.id}), so the TXT value is written to ${name} (${id}); delete hosted zone ${other.name}, or delegate to it by NS records in ${name}`,
  }));
}

function judgeCut({ domain, recordName }: NameFacts, { id, name, cut }: FoundZoneFacts): PreflightProblem[] {
  if (!cut) return [];
  const { at, servers } = cut;
  const to = servers.length > 0 ? servers.join(', ') : 'other name servers';
  const remedy =
    at === recordName
      ? `remove the NS records at ${at}`
      : `make a hosted zone ${at} in Route 53 and delegate ${at} to it, or make ${recordName} a CNAME in that zone to a name in a hosted zone of yours, or remove the NS records at ${at}`;
  const message = `hosted zone ${name} (${id}) delegates ${at} to ${to}, so a TXT value for ${domain} in ${name} is not seen; ${remedy}`;
  return [{ domain, blocks: true, record: `${at}. NS`, message }];
}

function judgeDelegation(
  domain: string,
  { id, name, delegationSet, live }: FoundZoneFacts,
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

function judgeChains({ domain, brokenChains = [] }: NameFacts, ca: CaaSubject): PreflightProblem[] {
  return brokenChains.map((chain) => {
    // A CA that does not read CAA, such as one of a private network, need not check DNSSEC either.
    const blocks = ca.identities.length > 0 && chain.confirmed !== false;
    return { domain, blocks, record: `${chain.zone}. DS`, message: describeBrokenChain(chain) };
  });
}

function judgeCaa({ domain, caa, zone, aliases }: NameFacts, ca: CaaSubject): PreflightProblem[] {
  switch (caa.kind) {
    case 'none':
      return [];
    case 'unanswered':
      // The same servers that do not answer are one problem.
      if (aliases.kind === 'unanswered' && aliases.isServfail === caa.isServfail) return [];
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

function describeUnanswered(domain: string, record: string, unanswered: Unanswered): PreflightProblem {
  return { domain, blocks: unanswered.isServfail, record, message: explainUnanswered(unanswered) };
}
