// Judges the health of what belongs to no certificate: clusters, issuers, functions, agents and channels.
import type { Inventory } from '../../certificate/spec.ts';
import type { Acknowledgement, HealthNote, HealthWord, Trouble } from '../../state/health.ts';
import { invokeCommand } from '../commands.ts';
import { isAgentCluster } from '../delivery/agents.ts';
import type { CertificateHealth } from './certificate.ts';
import type { Subject } from './change.ts';
import { type Finding, findWorst, sinceOf } from './finding.ts';
import { current, type HealthReason } from './reasons.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What was noted of something that is no certificate. */
export interface SubjectNote extends HealthNote {
  readonly acknowledged?: Acknowledgement | undefined;
}

/** The health of something that is no certificate. */
export interface OtherHealth {
  readonly name: string;
  readonly health: HealthWord;
  readonly reason: HealthReason;
  readonly message: string;
  readonly since?: Date | undefined;
  readonly command?: string | undefined;
  /** How many certificates it makes ill. */
  readonly certificates?: number | undefined;
  readonly acknowledgedUntil?: Date | undefined;
}

/** Judges one subject by what was found; `note`: what was noted of it. */
export function judgeOther(
  { name }: Pick<Subject, 'name'>,
  findings: readonly Finding[],
  note: SubjectNote | undefined,
  now: Date,
): OtherHealth {
  const finding = findWorst(findings);
  if (!finding) return { name, health: 'Healthy', reason: current, message: 'fine' };
  const { health, reason, message, command } = finding;
  const since = sinceOf(finding, note, now);
  const known = note?.acknowledged;
  if (health === 'Degraded' && known?.reason === reason && known.until > now) {
    const words = `${reason}, acknowledged until ${known.until.toISOString()} (${known.words}): ${message}`;
    const suspended = { health: 'Suspended', reason: 'Acknowledged', message: words } as const;
    const again = sinceOf({ ...suspended, since: finding.since }, note, now);
    return { name, ...suspended, since: again, command, acknowledgedUntil: known.until };
  }
  return { name, health, reason, message, since, command };
}

/** A cluster that `deploy` reaches: what it recorded of it. */
export function findClusterTrouble(
  name: string,
  trouble: Trouble | undefined,
  now: Date,
): readonly Finding[] {
  if (!trouble) return [];
  const isLong = now.getTime() - trouble.since.getTime() > hourMs;
  return [
    {
      health: isLong ? 'Degraded' : 'Progressing',
      reason: 'ClusterFailing',
      message: trouble.words,
      since: trouble.since,
      command: invokeCommand('deploy', { clusters: [name], dryRun: true }),
    },
  ];
}

/** What certificates say of one cause, an issuer or a function: as bad as the worst of them. */
export function findShared(
  cause: string,
  reason: 'IssuerFailing' | 'FunctionFailing',
  certificates: readonly CertificateHealth[],
): { readonly findings: readonly Finding[]; readonly certificates: number } {
  const ill = certificates.filter((certificate) => certificate.cause === cause);
  const findings = ill.flatMap(({ health, message, since, command }): readonly Finding[] =>
    health === 'Healthy' ? [] : [{ health, reason, message, since, command }],
  );
  const oldest = findings.toSorted((one, other) => timeOf(one) - timeOf(other));
  return { findings: oldest, certificates: ill.length };
}

function timeOf({ since }: Finding): number {
  return since?.getTime() ?? 0;
}

/** The names of the clusters that `deploy` reaches. */
export function reachedClusters({ clusters }: Pick<Inventory, 'clusters'>): readonly string[] {
  return Object.keys(clusters).filter((name) => !isAgentCluster(name, { clusters }));
}

/** How often a function must end a full pass, in milliseconds: in a day, or in four of its intervals if that
 *  is longer. */
export function longestSilence(intervalMs: number | undefined): number {
  return Math.max(dayMs, 4 * (intervalMs ?? 0));
}

/** A function that makes no full passes.
 *  @param last The end of its last one, or since when one is expected. */
export function findSilence(
  name: 'issue' | 'deploy' | 'probe' | 'discover',
  last: Date,
  intervalMs: number | undefined,
  now: Date,
): readonly Finding[] {
  if (now.getTime() - last.getTime() <= longestSilence(intervalMs)) return [];
  return [
    {
      health: 'Degraded',
      reason: 'NotRunning',
      message: `no full pass of ${name} has ended since ${last.toISOString()}: ${consequences[name]}`,
      since: last,
      command: invokeCommand(name),
    },
  ];
}

const consequences = {
  issue: 'nothing is renewed by itself',
  deploy: 'what changes in a cluster stays changed',
  probe: 'nobody knows what is served',
  discover: 'objects in clusters get no certificates',
} as const;

/** A channel of notices that cannot be reached, as `notify` recorded it. */
export function findChannelTrouble(trouble: Pick<Trouble, 'since' | 'words'>, now: Date): readonly Finding[] {
  const isLong = now.getTime() - trouble.since.getTime() > hourMs;
  const { since, words: message } = trouble;
  return [{ health: isLong ? 'Degraded' : 'Progressing', reason: 'ChannelFailing', message, since }];
}
