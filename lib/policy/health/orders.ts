// Checks of a certificate's health that are about what is stored and its orders.
import { deployStackCommand, invokeCommand, taggedByCommand } from '../commands.ts';
import { slowCode } from '../issuance/backoff.ts';
import { hasDisagreed } from '../issuance/comparison.ts';
import { versionDecisionsOf } from '../issuance/operator-decisions.ts';
import { isPausedByCa, pausedByCaCode } from '../issuance/pause.ts';
import { explainGrace, explainRefusal, isTolerated } from '../registration/grace.ts';
import { revocationFailed } from '../retirement/retirement.ts';
import type { HealthFacts } from './facts.ts';
import { explain, type Finding, findWorst, isShared } from './finding.ts';
import { describeEnd, isLate } from './margin.ts';
import { orderNowCommand, planCommand, renewCommand } from './next-commands.ts';
import { notedSince } from './notes.ts';
import type { HealthReason } from './reasons.ts';
import { isOpenDenial } from './trouble.ts';
import { findUnissued } from './waiting.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** How long orders may fail before a person must act: while the certificate before is still good, and where
 *  there is none. */
const longestFailureMs = { issued: dayMs, missing: hourMs } as const;
/** How long the DNS of a registered certificate may not be ready. */
const longestWaitForDnsMs = 7 * dayMs;

/** Codes of problems that are no failure: the certificate waits. */
const waitingCodes: ReadonlySet<string> = new Set(['RateLimited', 'Deadline', slowCode]);

/** Whether a problem that is recorded of an order becomes `Degraded` by itself if it lasts. One that only
 *  waits does not. */
export function becomesDegraded({ code }: { readonly code: string }): boolean {
  return !waitingCodes.has(code);
}

/** What is wrong with what is stored and its orders, in the order in which equally bad findings are told.
 *  What presses is explained by what keeps it from being ordered. */
export function findOrderTroubles(all: HealthFacts): readonly Finding[] {
  const facts = withoutRevocation(all);
  const found = checks.flatMap((check) => check(facts) ?? []);
  const obstacle = findWorst(found.filter(({ reason }) => isObstacle(reason, facts)));
  return found.map((one) => (pressing.has(one.reason) ? explain(one, obstacle) : one));
}

/** Why a version was not revoked outlives the retirement that a person took back, and stops no order. */
function withoutRevocation(facts: HealthFacts): HealthFacts {
  const { problem, ...state } = facts.state;
  return problem?.code === revocationFailed ? { ...facts, state } : facts;
}

const pressing: ReadonlySet<HealthReason> = new Set(['Expired', 'Revoked', 'ExpiresSoon']);
/** What keeps no order from being placed, beside those. */
const harmless: ReadonlySet<HealthReason> = new Set(['RenewalDue', 'TagsDisagree']);

function isObstacle(reason: HealthReason, { misfits, now }: HealthFacts): boolean {
  if (reason === 'NotAllowed' && misfits && isTolerated(misfits, now)) return false;
  return !pressing.has(reason) && !harmless.has(reason);
}

const checks: readonly ((facts: HealthFacts) => Finding | undefined)[] = [
  findExpired,
  findRevoked,
  findLate,
  findNotAllowed,
  findDisagreement,
  findPausedByCa,
  findPreflight,
  findNameTaken,
  findFailing,
  findPaused,
  findUnissued,
];

function findExpired({ name, certificate, isAskedFor, now }: HealthFacts): Finding | undefined {
  if (!certificate || !isAskedFor || certificate.notAfter > now) return undefined;
  return {
    health: 'Degraded',
    reason: 'Expired',
    message: describeEnd(certificate.notAfter, now),
    since: certificate.notAfter,
    command: renewCommand(name),
  };
}

function findRevoked({ name, entry, isAskedFor }: HealthFacts): Finding | undefined {
  if (!isAskedFor || !versionDecisionsOf(entry).isRevoked) return undefined;
  const command = renewCommand(name);
  return { health: 'Degraded', reason: 'Revoked', message: 'the version in use was revoked', command };
}

function findLate({ name, life, isAskedFor, now }: HealthFacts): Finding | undefined {
  if (!life || !isAskedFor || !isLate(life, now)) return undefined;
  return {
    health: 'Degraded',
    reason: 'ExpiresSoon',
    message: `${describeEnd(life.notAfter, now)}, and due for renewal since ${life.renewsAt.toISOString()}`,
    command: renewCommand(name),
  };
}

function findNotAllowed({ misfits, isIssued, now }: HealthFacts): Finding | undefined {
  if (!misfits) return undefined;
  const message = isTolerated(misfits, now) ? explainGrace(misfits) : explainRefusal(misfits);
  // Nothing is lost with one that was never issued.
  const health = isIssued ? 'Degraded' : 'Suspended';
  return { health, reason: 'NotAllowed', message, command: deployStackCommand() };
}

function findDisagreement({ name, state, now }: HealthFacts): Finding | undefined {
  if (!hasDisagreed(state, now)) return undefined;
  const message =
    'the tags of its AWS secret did not match its value (TagsDisagree) and were corrected: find out who changed them';
  const command = taggedByCommand(name);
  return { health: 'Degraded', reason: 'TagsDisagree', message, since: state.tagsDisagree, command };
}

function findPausedByCa(facts: HealthFacts): Finding | undefined {
  const { name, pause } = facts;
  if (!isPausedByCa(pause)) return undefined;
  return {
    health: isStrangers(facts) ? 'Suspended' : 'Degraded',
    reason: 'PausedByCA',
    message: pause?.reason ?? '',
    since: pause?.since,
    command: invokeCommand('pause', { certificates: [name], resume: true }),
  };
}

/** Held back by DNS. Nobody but its sender misses a certificate that was registered and never issued. */
function findPreflight(facts: HealthFacts): Finding | undefined {
  const { name, state, isPaused } = facts;
  const { problem } = state;
  if (problem?.code !== 'PreflightFailed' || isPaused) return undefined;
  if (isStrangers(facts)) return waitForDns(facts);
  const { since, words: message } = problem;
  return { health: 'Degraded', reason: 'PreflightFailed', message, since, command: renewCommand(name) };
}

function findNameTaken({ name, state, isIssued }: HealthFacts): Finding | undefined {
  const { problem } = state;
  if (problem?.code !== 'NameTaken') return undefined;
  const { since, words: message } = problem;
  const health = isIssued ? 'Degraded' : 'Suspended';
  return { health, reason: 'NameTaken', message, since, command: renewCommand(name) };
}

/** Orders that fail: for long, or a short while. */
function findFailing(facts: HealthFacts): Finding | undefined {
  const { name, state, note, certificate, isPaused, now } = facts;
  const { failures = 0, error, nextAttempt, problem } = state;
  const isProblem =
    problem !== undefined &&
    becomesDegraded(problem) &&
    !['PreflightFailed', 'NameTaken'].includes(problem.code);
  if ((failures === 0 && !isProblem) || error === slowCode || isPaused) return undefined;
  // An issuer or a function fails everybody.
  if (isStrangers(facts) && !isShared(problem?.cause)) return waitForDns(facts);
  const noted = notedSince(note, state.acknowledged, 'BackingOff', 'OrderFailing');
  const since = problem?.since ?? noted ?? now;
  const words = problem?.words ?? `the last attempt failed with ${error ?? 'no code'}`;
  const count = failures > 1 ? `${failures} attempts failed, the last: ` : '';
  const later = nextAttempt && nextAttempt > now ? `; next attempt at ${nextAttempt.toISOString()}` : '';
  const longest = certificate ? longestFailureMs.issued : longestFailureMs.missing;
  // Nobody has seen yet whether a person ended the pause at the CA, too.
  const wasPaused = problem?.code === pausedByCaCode;
  const isLong = wasPaused || now.getTime() - since.getTime() > longest;
  const failing = wasPaused ? 'PausedByCA' : 'OrderFailing';
  const waiting = error === 'rateLimited' ? 'RateLimited' : 'BackingOff';
  return {
    health: isLong ? 'Degraded' : 'Progressing',
    reason: isLong ? failing : waiting,
    message: `${wasPaused ? 'resumed, and no order has succeeded since: ' : count}${words}${later}`,
    since,
    // To force what has just failed, or a limit, is no help. A denial is shown by the next order alone.
    command: isLong || isOpenDenial(problem, undefined) ? orderNowCommand(facts) : planCommand(name),
    cause: problem?.cause,
    ...(nextAttempt && { next: { what: 'order', at: nextAttempt } }),
  };
}

function findPaused({ name, pause, isPaused }: HealthFacts): Finding | undefined {
  if (!isPaused || !pause) return undefined;
  const { since, reason, until } = pause;
  const end = until ? `, until ${until.toISOString()}` : '';
  return {
    health: 'Suspended',
    reason: 'Paused',
    message: `paused since ${since.toISOString()}${end}${reason ? `: ${reason}` : ''}`,
    since,
    command: invokeCommand('pause', { certificates: [name], resume: true }),
    ...(until && { next: { what: 'end', at: until } }),
  };
}

/** Whether a stranger asked for it and never got it: that must turn no pager on. */
function isStrangers({ spec, isIssued }: HealthFacts): boolean {
  return spec === undefined && !isIssued;
}

function waitForDns(facts: HealthFacts): Finding {
  const { name, state, note, entry, now } = facts;
  const began = entry?.createdAt ?? state.problem?.since ?? note?.since ?? now;
  const words = state.problem?.words ?? `its orders fail with ${state.error ?? 'no code'}`;
  const isOver = now.getTime() - began.getTime() > longestWaitForDnsMs;
  return {
    health: isOver ? 'Suspended' : 'Progressing',
    reason: isOver ? 'NeverReady' : 'WaitingForDns',
    message: `registered, never issued: ${words}`,
    since: isOver ? new Date(began.getTime() + longestWaitForDnsMs) : began,
    command: state.problem?.code === 'PreflightFailed' ? renewCommand(name) : planCommand(name),
  };
}
