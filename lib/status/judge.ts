// Judges everything that has a health: certificates first, then what may be the cause of their troubles.
import { channelName, type NoticeChannel } from '../certificate/notice-spec.ts';
import type { Inventory } from '../certificate/spec.ts';
import { isAgentCluster } from '../policy/delivery/agents.ts';
import { findAgentTrouble } from '../policy/health/agents.ts';
import { type CertificateHealth, judgeCertificate } from '../policy/health/certificate.ts';
import { keyOf, type Subject } from '../policy/health/change.ts';
import type { HealthContext } from '../policy/health/facts.ts';
import {
  findChannelTrouble,
  findClusterTrouble,
  findFirstSilence,
  findShared,
  findSilence,
  findUnread,
  isScheduledAnew,
  judgeOther,
  longestSilence,
  type OtherHealth,
  reachedClusters,
} from '../policy/health/others.ts';
import type { Misfits } from '../policy/registration/grace.ts';
import type { AgentRecord } from '../ports/agents.ts';
import type { InstallationRecord } from '../ports/installation.ts';
import type { StatusNotes } from '../ports/notes.ts';
import type { OperationRecord } from '../ports/operations.ts';
import type { StoreEntry } from '../ports/store.ts';
import type { HealthNote, SubjectNote } from '../state/health.ts';
import type { AgentEntry, FunctionEntry, JudgedHealth } from './report.ts';

/** What `status` has read. */
export interface StatusFacts {
  readonly now: Date;
  readonly inventory: Inventory;
  /** The channels of notices. */
  readonly channels: readonly NoticeChannel[];
  /** Names to judge. */
  readonly names: readonly string[];
  readonly entries: ReadonlyMap<string, StoreEntry>;
  readonly misfits: ReadonlyMap<string, Misfits>;
  readonly agents: readonly AgentRecord[];
  readonly installation: InstallationRecord | undefined;
  readonly operations: OperationRecord;
  /** Messages that wait for `notify`; absent: nobody has looked. */
  readonly waitingNotices?: number | undefined;
  readonly notes: StatusNotes;
  /** Whether nothing was noted before. */
  readonly isFirst: boolean;
  /** Time between two scheduled calls, in milliseconds; no entry for a function without a schedule. */
  readonly intervals: Readonly<Partial<Record<'issue' | 'deploy' | 'probe' | 'discover' | 'status', number>>>;
  readonly staleAfterMs: number;
}

/** Judges single certificates and everything, by the same facts. */
export interface Judge {
  readonly everything: () => JudgedHealth;
  /** Judges one certificate by an entry that is up to date. */
  readonly one: (name: string, entry: StoreEntry | undefined) => CertificateHealth;
}

/** Prepares for judging: what is the same for all certificates is found once. */
export function createJudge(facts: StatusFacts): Judge {
  const agents = judgeAgents(facts);
  const context = contextOf(facts, agents);
  const specs = new Map(facts.inventory.certificates.map((spec) => [spec.name, spec]));
  const one = (name: string, entry: StoreEntry | undefined) =>
    judgeCertificate(
      {
        name,
        entry,
        note: noteOfCertificate(name, entry, facts.notes),
        spec: specs.get(name),
        misfits: facts.misfits.get(name),
      },
      context,
    );
  return {
    one,
    everything: () => judgeEverything(facts, agents, one),
  };
}

function judgeEverything(facts: StatusFacts, agents: readonly AgentEntry[], one: Judge['one']): JudgedHealth {
  const certificates = facts.names.map((name) => one(name, facts.entries.get(name)));
  return {
    certificates,
    clusters: judgeClusters(facts, certificates),
    issuers: judgeIssuers(facts, certificates),
    agents: agents.map((agent) => countAffected(agent, `agent/${agent.name}`, certificates)),
    functions: judgeFunctions(facts, certificates),
    channels: judgeChannels(facts),
  };
}

/** What was noted of a certificate: with the other notes where it has no AWS secret, or no room for a tag. */
export function noteOfCertificate(
  name: string,
  entry: StoreEntry | undefined,
  { subjects }: StatusNotes,
): HealthNote | undefined {
  return subjects[keyOf({ kind: 'certificate', name })] ?? entry?.state.health;
}

function contextOf(facts: StatusFacts, agents: readonly AgentEntry[]): HealthContext {
  const { now, staleAfterMs, inventory, operations, intervals } = facts;
  return {
    now,
    staleAfterMs,
    probeFreshMs: longestSilence(intervals.probe),
    clusters: inventory.clusters,
    registration: inventory.registration,
    clusterTroubles: operations.clusters,
    agents: new Map(agents.map(({ name, health }) => [name, health])),
    retiresGone: inventory.discovery?.retire ?? false,
    issuers: inventory.issuers,
  };
}

/** One entry for each cluster with an agent in the inventory, and for each other cluster whose agent has
 *  reported. */
function judgeAgents(facts: StatusFacts): readonly AgentEntry[] {
  const { inventory, now, staleAfterMs } = facts;
  const records = new Map(facts.agents.map((record) => [record.cluster, record]));
  const named = Object.keys(inventory.clusters).filter((name) => isAgentCluster(name, inventory));
  return [...new Set([...named, ...records.keys()])].toSorted().map((name) => {
    const record = records.get(name);
    const note = noteOf(facts, 'agent', name);
    const isNamed = named.includes(name);
    const findings = findAgentTrouble(record ?? {}, { cluster: name, now, staleAfterMs, note, isNamed });
    const judged = judgeOther({ name }, findings, note, now);
    const message = judged.health === 'Healthy' ? 'everything for its cluster is delivered' : judged.message;
    const unknown = isNamed ? '' : '; the inventory does not know this cluster';
    const { lastSeen, version } = record ?? {};
    return { ...judged, message: message + unknown, lastSeen, version };
  });
}

function judgeClusters(
  facts: StatusFacts,
  certificates: readonly CertificateHealth[],
): readonly OtherHealth[] {
  return reachedClusters(facts.inventory).map((name) => {
    const findings = findClusterTrouble(name, facts.operations.clusters[name], facts.now);
    const judged = judgeOther({ name }, findings, noteOf(facts, 'cluster', name), facts.now);
    return countAffected(judged, `cluster/${name}`, certificates);
  });
}

function countAffected<T extends OtherHealth>(
  judged: T,
  cause: string,
  certificates: readonly CertificateHealth[],
): T {
  if (judged.health === 'Healthy') return judged;
  return {
    ...judged,
    affected: certificates.filter((certificate) => certificate.cause === cause).length,
  };
}

/** The issuers of the inventory, and others that certificates name as the cause. */
function judgeIssuers(
  facts: StatusFacts,
  certificates: readonly CertificateHealth[],
): readonly OtherHealth[] {
  const named = certificates.flatMap(({ cause }) =>
    cause?.startsWith('issuer/') ? [cause.slice('issuer/'.length)] : [],
  );
  return [...new Set([...Object.keys(facts.inventory.issuers), ...named])].map((name) => {
    const cause = `issuer/${name}`;
    const findings = findShared(cause, 'IssuerFailing', certificates);
    const judged = judgeOther({ name }, findings, noteOf(facts, 'issuer', name), facts.now);
    return countAffected(judged, cause, certificates);
  });
}

/** The channels of notices. One that was taken away has no trouble any more. */
function judgeChannels(facts: StatusFacts): readonly OtherHealth[] {
  const failing = new Map(
    (facts.installation?.failingChannels ?? []).map(({ channel, ...trouble }) => [channel, trouble]),
  );
  return facts.channels.map((channel) => {
    const name = channelName(channel);
    const trouble = failing.get(name);
    const findings = trouble ? findChannelTrouble(trouble, facts.now) : [];
    return judgeOther({ name }, findings, noteOf(facts, 'channel', name), facts.now);
  });
}

/** The functions with a schedule, and the one that tells people. */
function judgeFunctions(
  facts: StatusFacts,
  certificates: readonly CertificateHealth[],
): readonly FunctionEntry[] {
  const { now, intervals, operations, notes } = facts;
  const judgedNames = ['issue', 'deploy', 'probe', 'discover'] as const;
  const scheduled = judgedNames.flatMap((name): readonly FunctionEntry[] => {
    if (name === 'discover' && intervals.discover === undefined) return [];
    const lastPass = operations.passes[name];
    const note = noteOf(facts, 'function', name);
    const rates = { intervalMs: intervals[name], lookMs: intervals.status ?? 0 };
    // All others have had a schedule for as long as status has.
    const silence =
      name === 'discover' && isScheduledAnew(lastPass, note, rates, now)
        ? findFirstSilence(name, note, intervals[name], now)
        : findSilence(name, lastPass ?? notes.began, intervals[name], now);
    const cause = `function/${name}`;
    const shared = findShared(cause, 'FunctionFailing', certificates);
    const judged = judgeOther({ name }, [...silence, ...shared], note, now);
    const told = shared.length > 0 ? countAffected(judged, cause, certificates) : judged;
    return [{ ...told, lastPass }];
  });
  return [...scheduled, ...judgeNotify(facts)];
}

/** Absent if nobody is told, or if its queue was not looked at and nothing is noted of it. */
function judgeNotify(facts: StatusFacts): readonly FunctionEntry[] {
  const { channels, waitingNotices, now } = facts;
  const note = noteOf(facts, 'function', 'notify');
  if (channels.length === 0 || (waitingNotices === undefined && !note)) return [];
  return [judgeOther({ name: 'notify' }, findUnread(waitingNotices, note, now), note, now)];
}

function noteOf({ notes }: StatusFacts, kind: Subject['kind'], name: string): SubjectNote | undefined {
  return notes.subjects[keyOf({ kind, name })];
}
