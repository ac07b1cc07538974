// Judges the health of what belongs to no certificate: clusters, issuers, functions, agents and channels.
import type { Inventory } from '../../certificate/spec.ts';
import type { HealthWord, SubjectNote, Trouble } from '../../state/health.ts';
import { invokeCommand } from '../commands.ts';
import { isAgentCluster } from '../delivery/agents.ts';
import { acknowledge } from './acknowledgement.ts';
import type { CertificateHealth } from './certificate.ts';
import type { Subject } from './change.ts';
import { type Finding, findWorst, sinceOf } from './finding.ts';
import { clusterCommand, renewCommand } from './next-commands.ts';
import { notedSince } from './notes.ts';
import { current, type HealthReason } from './reasons.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** The health of something that is no certificate. */
export interface OtherHealth {
  readonly name: string;
  readonly health: HealthWord;
  readonly reason: HealthReason;
  readonly message: string;
  readonly since?: Date | undefined;
  readonly command?: string | undefined;
  /** How many certificates are not `Healthy` because of it. */
  readonly affected?: number | undefined;
  readonly acknowledgedUntil?: Date | undefined;
}

/** Something that is no certificate, with its health. */
export interface SubjectHealth {
  readonly subject: Subject;
  readonly health: OtherHealth;
}

/** Judges one subject by what was found; `note`: what was noted of it. */
export function judgeOther(
  { name }: Pick<Subject, 'name'>,
  findings: readonly Finding[],
  note: SubjectNote | undefined,
  now: Date,
): OtherHealth {
  const found = findWorst(findings);
  if (!found) return { name, health: 'Healthy', reason: current, message: 'fine' };
  const finding = acknowledge(found, note?.acknowledged, now);
  const { health, reason, message, command } = finding;
  const since = sinceOf(finding, note, now);
  const known = reason === 'Acknowledged' ? { acknowledgedUntil: note?.acknowledged?.until } : {};
  return { name, health, reason, message, since, command, ...known };
}

/** A cluster that `deploy` reaches: what it recorded of it. */
export function findClusterTrouble(
  name: string,
  trouble: Trouble | undefined,
  now: Date,
): readonly Finding[] {
  if (!trouble) return [];
  return [{ ...judgeLasting('ClusterFailing', trouble, now), command: clusterCommand(name) }];
}

/** A channel of notices that cannot be reached, as `notify` recorded it. */
export function findChannelTrouble(trouble: Pick<Trouble, 'since' | 'words'>, now: Date): readonly Finding[] {
  const command = invokeCommand('notify', { test: true });
  return [{ ...judgeLasting('ChannelFailing', trouble, now), command }];
}

/** A trouble that is `Degraded` once it has lasted for an hour. */
function judgeLasting(
  reason: HealthReason,
  { since, words: message }: Pick<Trouble, 'since' | 'words'>,
  now: Date,
): Omit<Finding, 'command'> {
  const isLong = now.getTime() - since.getTime() > hourMs;
  return { health: isLong ? 'Degraded' : 'Progressing', reason, message, since };
}

/** What certificates say of one cause, an issuer or a function: as bad as the worst of them, the oldest
 *  first. */
export function findShared(
  cause: string,
  reason: 'IssuerFailing' | 'FunctionFailing',
  certificates: readonly CertificateHealth[],
): readonly Finding[] {
  const ill = certificates.filter((certificate) => certificate.cause === cause);
  const findings = ill.flatMap(({ name, health, message, since, command }): readonly Finding[] =>
    health === 'Healthy' ? [] : [{ health, reason, message, since, command: command ?? renewCommand(name) }],
  );
  return findings.toSorted((one, other) => timeOf(one) - timeOf(other));
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
  name: ScheduledFunction,
  last: Date,
  intervalMs: number | undefined,
  now: Date,
): readonly Finding[] {
  if (now.getTime() - last.getTime() <= longestSilence(intervalMs)) return [];
  const message = `no full pass of ${name} has ended since ${last.toISOString()}: ${consequences[name]}`;
  return [{ health: 'Degraded', ...silenceOf(name), message, since: last }];
}

/** Whether a function has its schedule anew: it never ended a full pass, or was silent for longer than
 *  `status`, which looks that often, can have missed.
 *  @param lookMs Time between two passes of `status`. */
export function isScheduledAnew(
  last: Date | undefined,
  note: SubjectNote | undefined,
  { intervalMs, lookMs }: { readonly intervalMs: number | undefined; readonly lookMs: number },
  now: Date,
): boolean {
  if (!last) return true;
  const lateMs = now.getTime() - last.getTime() - longestSilence(intervalMs);
  const isNoted = note !== undefined && !note.wellSince && note.reason !== 'FunctionFailing';
  return lateMs > 0 && (isNoted ? note.health === 'Progressing' : lateMs > 2 * lookMs);
}

/** A function whose schedule came later than `status` did: it is expected from when `status` first found
 *  that. */
export function findFirstSilence(
  name: ScheduledFunction,
  note: SubjectNote | undefined,
  intervalMs: number | undefined,
  now: Date,
): readonly Finding[] {
  const since = notRunningSince(note) ?? now;
  const silent = findSilence(name, since, intervalMs, now);
  const message = 'it has a schedule now, and no full pass has ended since';
  return silent.length > 0 ? silent : [{ health: 'Progressing', ...silenceOf(name), message, since }];
}

/** `notify`, if nobody reads its queue. Nothing else tells of it: what waits there for four days is lost.
 *  @param waiting Messages in it; `undefined`: unknown, and as it was noted. */
export function findUnread(
  waiting: number | undefined,
  note: SubjectNote | undefined,
  now: Date,
): readonly Finding[] {
  const noted = notRunningSince(note);
  if (waiting === 0 || (waiting === undefined && !noted)) return [];
  const since = noted ?? now;
  const isLong = now.getTime() - since.getTime() > hourMs;
  const message = `notices wait in its queue since ${since.toISOString()}, so people are told nothing: if the test by the command arrives, its trigger in Lambda is off`;
  const command = invokeCommand('notify', { test: true });
  return [{ health: isLong ? 'Degraded' : 'Progressing', reason: 'NotRunning', message, since, command }];
}

/** By what was noted; what is over says nothing of the next time. */
function notRunningSince(note: SubjectNote | undefined): Date | undefined {
  return note?.wellSince ? undefined : notedSince(note, note?.acknowledged, 'NotRunning');
}

function silenceOf(name: ScheduledFunction) {
  return { reason: 'NotRunning', command: invokeCommand(name) } as const;
}

/** The functions whose silence is told. */
type ScheduledFunction = keyof typeof consequences;

const consequences = {
  issue: 'nothing is renewed by itself',
  deploy: 'what changes in a cluster stays changed',
  probe: 'nobody knows what is served',
  discover: 'objects in clusters get no certificates',
} as const;
