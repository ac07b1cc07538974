// Asks the CA when certificates are to be renewed (RFC 9773), as often as the CA wants to be asked.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { isFrom } from '../../policy/issuance/desired.ts';
import { issuersOf, issuersOfSource } from '../../policy/issuance/issuer-choice.ts';
import { isPutOffByTags } from '../../policy/issuance/renewal-time.ts';
import type { RenewalInfo } from '../../ports/acme.ts';
import { describeError } from '../../ports/errors.ts';
import type { CertificateStore } from '../../ports/store.ts';
import type { IssueInvocation, IssuePorts, OrderingPorts } from '../invocation.ts';
import type { Candidate } from './gather.ts';

/** After an error that may pass. */
const askSoonMs = 3_600_000;
/** Where the CA has no answer for a certificate (RFC 9773 §4.3.3), and after it was issued: nothing changes so soon, and a
 *  pass over certificates that are new makes no call to the CA. */
export const askLaterMs = 6 * 3_600_000;
/** Of a page's URL: tags are few. A longer one is told by the pass that hears of it, and forgotten. */
const longestKeptUrl = 500;
/** Of one CA at once. */
const concurrency = 16;
/** What asking may take of a pass: a part of its time, and never more than this. */
const timeShare = 0.25;
const longestMs = 60_000;

/** Whether it is time to ask about a certificate: it is known to the CA by id, has not ended, and no order of it is open. */
export function needsRenewalInfo({ entry, situation }: Candidate, now: Date): boolean {
  const { actual, pending } = situation;
  if (actual.kind !== 'certificate' || pending !== undefined || actual.notAfter <= now) return false;
  if (!isFrom(actual.issuer, situation.desired) || entry?.state.certificateId === undefined) return false;
  if (isPutOffByTags({ ...actual, renewBeforeMs: situation.desired.renewBeforeMs }, now)) return true;
  return entry.state.askAfter === undefined || entry.state.askAfter <= now;
}

/** The candidates with what the CA suggests now; it is kept on tags too. Nothing here stops a pass: a certificate of which
 *  the CA does not speak is renewed by what is known of it. CAs are asked side by side, for a part of the pass's time: who
 *  could not be asked in it is asked by the next one. */
export async function fetchWindows(
  candidates: readonly Candidate[],
  ports: IssuePorts & OrderingPorts,
  invocation: IssueInvocation,
): Promise<readonly Candidate[]> {
  const leftMs = Math.max(0, invocation.workUntil.getTime() - ports.clock.now().getTime());
  const limit = AbortSignal.timeout(Math.floor(Math.min(longestMs, leftMs * timeShare)));
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
    if (!answer || answer === 'failed' || situation.actual.kind !== 'certificate') return candidate;
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

/** Whether the CA has moved the window to now since its limits kept an order back: they do not count for one in the window.
 *  Should that order be refused too, its wait stands, for the window does not move again. */
function endsLimit({ situation }: Candidate, answer: RenewalAnswer, now: Date): boolean {
  const { actual, error } = situation;
  if (error !== 'rateLimited' || !answer || answer === 'failed' || actual.kind !== 'certificate')
    return false;
  const isIn = (window: { readonly start: Date; readonly end: Date }) =>
    window.start <= now && now <= window.end;
  return isIn(answer) && !(actual.window && isIn(actual.window));
}

/** What the CA suggests; `undefined` where it has no answer; `failed` where it may have one later. */
type RenewalAnswer = RenewalInfo | 'failed' | undefined;

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
    return 'failed';
  }
}

/** What tags are to remember of an answer. */
export function stateOfAnswer(answer: RenewalAnswer, now: Date): Parameters<CertificateStore['record']>[1] {
  const after = (ms: number) => new Date(now.getTime() + ms);
  if (answer === 'failed') return { askAfter: after(askSoonMs) };
  if (!answer) return { askAfter: after(askLaterMs) };
  const { start, end, explanationUrl = '', retryAfterMs } = answer;
  const isKept = explanationUrl !== '' && explanationUrl.length <= longestKeptUrl;
  return {
    windowStart: start,
    windowEnd: end,
    explanationUrl: isKept ? explanationUrl : null,
    askAfter: after(retryAfterMs),
  };
}
