// Judges recorded failures of deliveries: whose they are, and whether they last too long.
import type { DeliveryRetry } from '../../state/delivery.ts';
import { findRbacCommand, workloadsCommand } from '../commands.ts';
import { isAgentCluster, isWithdrawn } from '../delivery/agents.ts';
import type { HealthFacts } from './facts.ts';
import { describeCause, type Finding, findWorst } from './finding.ts';
import { clusterCommand, deliverCommand } from './next-commands.ts';
import { notedSince } from './notes.ts';
import { isFailure, isOfAll } from './trouble.ts';

const hourMs = 3_600_000;
/** How long, and how often in a row, deliveries may fail before a person must act. */
const longestMs = hourMs;
const mostFailures = 3;

/** What keeps one target from the current version, if deliveries fail there. `undefined` if none is known to
 *  fail, or a person has frozen the version.
 *  @param target As `nameDestination` writes it. */
export function findDeliveryFailure(target: string, facts: HealthFacts): Finding | undefined {
  const cluster = target.split('/')[0] ?? '';
  const byAgent = isAgentCluster(cluster, facts);
  return byAgent ? findAgentFailure(target, cluster, facts) : findRecordedFailure(target, cluster, facts);
}

/** A target that has the version and could not be looked at, for a reason of its own: it may be gone
 *  there. */
export function findLookFailure(target: string, facts: HealthFacts): Finding | undefined {
  const isOwn = facts.state.deliveryProblem?.cause === `target/${target}`;
  return isOwn ? findRecordedFailure(target, undefined, facts) : undefined;
}

/** What keeps `deploy` from all targets: it could not load the certificate. */
export function findUnloaded(facts: HealthFacts): Finding | undefined {
  const { deliveryProblem: problem } = facts.state;
  return problem && isOfAll(problem) ? findRecordedFailure(undefined, undefined, facts) : undefined;
}

/** Failures of a certificate whose targets the inventory file does not list. */
export function findUnlistedFailure(facts: HealthFacts): Finding | undefined {
  const { deliveryProblem } = facts.state;
  const recorded = deliveryProblem && findRecordedFailure(undefined, undefined, facts);
  return recorded ?? findSignedFailure(facts);
}

/** Of the agents that a statement was signed for, those that have not delivered. */
function findSignedFailure(facts: HealthFacts): Finding | undefined {
  const { state, entry } = facts;
  const found = Object.entries(state.signatures ?? {}).flatMap(([cluster, statement]) => {
    const record = state.reports?.[cluster]?.deployed;
    const isComplete =
      record?.version === entry?.current && record?.phases.every((phase) => phase === 'rolled-out');
    if (isComplete || isWithdrawn(statement) || !isAgentCluster(cluster, facts)) return [];
    return findAgentFailure(undefined, cluster, facts) ?? [];
  });
  return findWorst(found);
}

function findRecordedFailure(
  target: string | undefined,
  cluster: string | undefined,
  facts: HealthFacts,
): Finding | undefined {
  const { state, clusterTroubles, now } = facts;
  const { deliveryProblem: problem, deployed } = state;
  const [kind, ...rest] = problem?.cause?.split('/') ?? [];
  const blamed = kind === 'cluster' ? rest.join('/') : undefined;
  const trouble = clusterTroubles[cluster ?? blamed ?? ''];
  if (trouble) {
    const cause = `cluster/${cluster ?? blamed}`;
    const command = clusterCommand(cluster ?? blamed ?? '');
    const words = describeCause(cause);
    return describe({ target, words, since: trouble.since, cause, command }, undefined, facts);
  }
  if (problem === undefined || !isFailure(problem)) return undefined;
  const isOthers =
    target !== undefined && problem.cause !== `target/${target}` && problem.cause !== `cluster/${cluster}`;
  if (isOthers) return undefined;
  const cause = kind === 'function' ? problem.cause : undefined;
  const own = cause === undefined ? problem.words : `${describeCause(cause)}: ${problem.words}`;
  const words = blamed === undefined ? own : describeMended(blamed, problem.words);
  const retry = deployed?.retry;
  // Nothing that waited for a cluster waits any longer once that answers.
  const isDue = retry && (retry.after < now || blamed !== undefined);
  // Any other words may be of somebody who chooses their end, such as of an admission webhook.
  const rights =
    problem.code === 'Forbidden'
      ? findRbacCommand(cluster ?? target?.split('/')[0] ?? '', problem.words)
      : undefined;
  const pods = problem.code === 'RolloutFailed' && target ? workloadsCommand(target) : undefined;
  const command = rights ?? pods ?? deliverCommand(facts, undefined);
  return describe(
    { target, words, since: problem.since, cause, command },
    isDue ? { ...retry, after: now } : retry,
    facts,
  );
}

/** Of the cluster nothing is noted any more: `deploy` was answered there meanwhile. */
function describeMended(cluster: string, words: string): string {
  return `cluster ${cluster} stopped the last attempt and is in no trouble any more, so the next pass of deploy tries again (${words})`;
}

/** An agent reports how often it failed, and its own record says why. */
function findAgentFailure(
  target: string | undefined,
  cluster: string,
  facts: HealthFacts,
): Finding | undefined {
  const { agents, state, note, now } = facts;
  const isIll = (agents.get(cluster) ?? 'Healthy') !== 'Healthy';
  const retry = state.reports?.[cluster]?.deployed?.retry;
  if (!isIll && !retry) return undefined;
  const cause = isIll ? `agent/${cluster}` : undefined;
  const agent = target === undefined ? `the agent of cluster ${cluster}` : 'its agent';
  const words = cause ? describeCause(cause) : `${agent} could not deliver it`;
  const since = notedSince(note, state.acknowledged, 'Delivering', 'DeliveryFailing') ?? now;
  const command = deliverCommand(facts, cluster);
  return describe({ target, words, since, cause, command }, retry, facts);
}

function describe(
  failure: {
    readonly target: string | undefined;
    readonly words: string;
    readonly since: Date;
    readonly cause: string | undefined;
    readonly command: string;
  },
  retry: DeliveryRetry | undefined,
  { now, state, entry }: HealthFacts,
): Finding | undefined {
  const { target, words, since, cause, command } = failure;
  const isFrozenByHand = state.freeze?.version === entry?.current && state.freeze?.target === '*';
  if (isFrozenByHand) return undefined;
  const isLong = now.getTime() - since.getTime() > longestMs || (retry?.failures ?? 0) >= mostFailures;
  const later = retry && retry.after > now ? `; next attempt at ${retry.after.toISOString()}` : '';
  const where = target === undefined ? '' : `${target}: `;
  return {
    health: isLong ? 'Degraded' : 'Progressing',
    reason: isLong ? 'DeliveryFailing' : 'Delivering',
    message: `${words.startsWith(where) ? '' : where}${words}${later}`,
    since,
    cause,
    command,
    ...(retry && { next: { what: 'deliver', at: retry.after } }),
  };
}
