// Asks the CA when to renew certificates (RFC 9773), as often as the CA wants to be asked.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { isFrom } from '../../policy/issuance/desired.ts';
import { issuersOf, issuersOfSource } from '../../policy/issuance/issuer-choice.ts';
import { isPutOffByTags } from '../../policy/issuance/renewal-time.ts';
import { AcmeError, type RenewalInfo } from '../../ports/acme.ts';
import { describeError } from '../../ports/errors.ts';
import type { CertificateStore } from '../../ports/store.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import type { Candidate } from './gather.ts';

/** When to ask again after an error that may pass. */
const askSoonMs = 3_600_000;
/** Milliseconds until the CA is asked again, if it knows nothing of a certificate (RFC 9773 §4.3.3) or has
 *  just issued it: a pass over new certificates makes no call to the CA. */
export const askLaterMs = 6 * 3_600_000;
/** Shortest and longest Retry-After that is believed, in milliseconds (RFC 9773 §4.3.2). */
const shortestWaitMs = 60_000;
const longestWaitMs = 86_400_000;
/** Longest explanation URL on a tag. The pass that reads a longer one reports it, and does not store it. */
const longestKeptUrl = 500;
/** Certificates that one CA is asked about at once. */
const concurrency = 16;
/** The part of the remaining time that asking may take, and its longest time in milliseconds. */
const timeShare = 0.25;
const longestMs = 60_000;

/** Whether it is time to ask the CA about a certificate: the tags have its id (RFC 9773 §4.1), it is still
 *  valid, and no order of it is open. */
export function needsRenewalInfo({ entry, situation }: Candidate, now: Date): boolean {
  const { actual, pending } = situation;
  if (actual.kind !== 'certificate' || pending !== undefined || actual.notAfter <= now) return false;
  if (!isFrom(actual.issuer, situation.desired) || entry?.state.certificateId === undefined) return false;
  if (isPutOffByTags({ ...actual, renewBeforeMs: situation.desired.renewBeforeMs }, now)) return true;
  return entry.state.askAfter === undefined || entry.state.askAfter <= now;
}

/** The candidates with the CA's renewal windows of now, which are recorded on their tags too. CAs are
 *  asked side by side, for a part of the pass's time; the next pass asks about the rest. Never rejects:
 *  without an answer a certificate is renewed by the window on its tags, or by its lifetime. */
export async function fetchWindows(
  candidates: readonly Candidate[],
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<readonly Candidate[]> {
  const leftMs = Math.max(0, invocation.workUntil.getTime() - ports.clock.now().getTime());
  const limit = ports.clock.timeout(Math.floor(Math.min(longestMs, leftMs * timeShare)));
  const signal = AbortSignal.any([invocation.signal, limit]);
  const updateOne = async (candidate: Candidate): Promise<Candidate> => {
    const { name, situation } = candidate;
    if (signal.aborted) return candidate;
    const answer = await fetchRenewalInfo(candidate, ports, { inventory: invocation.inventory, signal });
    const now = ports.clock.now();
    const isFreed = endsLimit(candidate, answer, now);
    try {
      const windowOf = candidate.entry?.state.certificateId;
      const state = { ...stateOfAnswer(answer, now), windowOf, ...(isFreed ? { nextAttempt: null } : {}) };
      await ports.store.record(name, state, invocation.signal);
    } catch (error) {
      ports.log.warn('renewal info not recorded', { certificate: name, problem: describeError(error) });
    }
    if (!isAnswered(answer) || situation.actual.kind !== 'certificate') return candidate;
    const { start, end, explanationUrl } = answer;
    if (explanationUrl)
      ports.log.warn('CA explained a renewal', { certificate: name, explanationUrl, start, end });
    const window = { start, end, explanationUrl, isFresh: true };
    const freed = isFreed ? { nextAttempt: undefined } : {};
    return { ...candidate, situation: { ...situation, ...freed, actual: { ...situation.actual, window } } };
  };
  const byCa = Map.groupBy(candidates, ({ situation }) => situation.desired.directory);
  const updated = [...byCa.values()].map((part) => mapConcurrently(part, concurrency, updateOne));
  return (await Promise.all(updated)).flat();
}

/** Whether a certificate that waits for the CA's limits need not wait any more: the CA has moved its
 *  window to now, and orders inside their window are exempt. If that order is refused too, its wait
 *  stands, because the window does not move again. */
function endsLimit({ situation }: Candidate, answer: RenewalAnswer, now: Date): boolean {
  const { actual, error } = situation;
  if (error !== 'rateLimited' || !isAnswered(answer) || actual.kind !== 'certificate') return false;
  const isIn = (window: { readonly start: Date; readonly end: Date }) =>
    window.start <= now && now <= window.end;
  return isIn(answer) && !(actual.window && isIn(actual.window));
}

/** No answer, although the CA may have one later. `retryAfterMs`: when it wants to be asked again. */
interface NoAnswer {
  readonly kind: 'failed';
  readonly retryAfterMs?: number | undefined;
}

/** The CA's answer. `undefined`: it knows nothing of the certificate. */
type RenewalAnswer = RenewalInfo | NoAnswer | undefined;

function isAnswered(answer: RenewalAnswer): answer is RenewalInfo {
  return answer !== undefined && !('kind' in answer);
}

async function fetchRenewalInfo(
  { name, entry, spec, situation: { actual } }: Candidate,
  { connect, log }: IssuePorts & OrderingPorts,
  { inventory, signal }: Pick<IssueInvocation, 'inventory' | 'signal'>,
): Promise<RenewalAnswer> {
  const id = entry?.state.certificateId;
  const issuers = spec ? issuersOf(spec, inventory.issuers) : issuersOfSource(entry?.state ?? {}, inventory);
  const issuer = issuers.find(
    (one) => actual.kind === 'certificate' && one.issuer.directory === actual.issuer,
  );
  if (id === undefined || issuer === undefined) return undefined;
  try {
    return await (await connect(issuer.name, signal)).renewalInfo(id, signal);
  } catch (error) {
    log.warn('CA not asked about renewal', { certificate: name, problem: describeError(error) });
    return { kind: 'failed', retryAfterMs: error instanceof AcmeError ? error.retryAfterMs : undefined };
  }
}

/** A wait within the bounds of RFC 9773 §4.3.2, in milliseconds: no flood, and no silence for days. */
function boundWait(ms: number): number {
  return Math.min(Math.max(ms, shortestWaitMs), longestWaitMs);
}

/** The state to record for an answer: the window, its explanation, and when to ask again. */
export function stateOfAnswer(answer: RenewalAnswer, now: Date): Parameters<CertificateStore['record']>[1] {
  const after = (ms: number) => new Date(now.getTime() + ms);
  if (!answer) return { askAfter: after(askLaterMs) };
  if (!isAnswered(answer)) return { askAfter: after(boundWait(answer.retryAfterMs ?? askSoonMs)) };
  const { start, end, explanationUrl = '', retryAfterMs } = answer;
  const isKept = explanationUrl !== '' && explanationUrl.length <= longestKeptUrl;
  return {
    windowStart: start,
    windowEnd: end,
    explanationUrl: isKept ? explanationUrl : null,
    askAfter: after(retryAfterMs),
  };
}
