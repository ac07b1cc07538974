// The check of what goes on by itself, or waits for its time.
import { logsCommand } from '../commands.ts';
import { slowCode } from '../issuance/backoff.ts';
import { findChange } from '../issuance/decision.ts';
import { desiredBySpec } from '../issuance/desired.ts';
import type { HealthFacts } from './facts.ts';
import type { Finding } from './finding.ts';
import { planCommand, renewCommand } from './next-commands.ts';
import { notedSince } from './notes.ts';

/** How long one of the inventory may wait for its first order, as many do at a CA's limits. */
const longestUnissuedMs = 7 * 86_400_000;

/** What waits. Time never runs out for one of the inventory that was never issued: it is `Degraded` after a
 *  week, unless a person paused it. */
export function findUnissued(facts: HealthFacts): Finding | undefined {
  const { spec, state, note, isIssued, isPaused, now } = facts;
  const found = findWaiting(facts);
  if (!found || !spec || isIssued || isPaused) return found;
  const noted = notedSince(note, state.acknowledged, 'Ordering', 'RateLimited', 'OrderFailing');
  const since = noted ?? found.since ?? now;
  if (now.getTime() - since.getTime() <= longestUnissuedMs) return found;
  const words = state.problem?.words ?? found.message;
  const message = `never issued, and waiting since ${since.toISOString()}: ${words}; the log of issue says more (${logsCommand('issue')})`;
  return { ...found, health: 'Degraded', reason: 'OrderFailing', message, since };
}

/** What goes on, or waits for its time. */
function findWaiting(facts: HealthFacts): Finding | undefined {
  const { name, entry, state, certificate, life, isAskedFor, now } = facts;
  if (!isAskedFor) return undefined;
  const { problem, nextAttempt } = state;
  const at = nextAttempt && nextAttempt > now ? { next: { what: 'order' as const, at: nextAttempt } } : {};
  const progressing = (reason: Finding['reason'], message: string, since?: Date): Finding => ({
    health: 'Progressing',
    reason,
    message,
    since,
    command: renewCommand(name),
    ...at,
  });
  if (problem?.code === 'RateLimited')
    return { ...progressing('RateLimited', problem.words, problem.since), command: planCommand(name) };
  if (state.error === slowCode) return progressing('Ordering', 'the CA still works on its order');
  if (entry?.current && state.version && !certificate) {
    return progressing('Unread', 'issue did not write its current version; the next pass of issue reads it');
  }
  if (!certificate) return progressing('Ordering', 'not issued yet', entry?.createdAt);
  const change = describeChange(facts);
  if (change !== undefined)
    return progressing('Ordering', `the next pass of issue orders it anew: ${change}`);
  if (life && now >= life.renewsAt) {
    return progressing('RenewalDue', `due for renewal since ${life.renewsAt.toISOString()}`, life.renewsAt);
  }
  return entry?.pending ? progressing('Ordering', 'an order is under way') : undefined;
}

/** What the inventory asks for that the stored certificate is not. */
function describeChange({
  spec,
  certificate,
  issuers,
  state: { failures },
}: HealthFacts): string | undefined {
  const desired = spec && issuers && desiredBySpec({ issuers }, spec, { failures });
  return certificate && desired && findChange(certificate, desired);
}
