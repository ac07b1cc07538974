// Asks a CA when to renew a certificate (ARI, RFC 9773 §4). Renewal works without an answer.
import * as z from 'zod';
import { AcmeError, type RenewalInfo } from '../../ports/acme.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { optional } from './members.ts';
import { readWait } from './problem.ts';
import type { Transport } from './transport.ts';

/** How the CA is asked. */
export interface RenewalSource {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
}

/** Timeout of the request: shorter than for an order, because renewal works without an answer. */
const answerMs = 10_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;
/** When to ask again if the CA does not say. */
const defaultRetryAfterMs = 6 * 3_600_000;

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const renewalInfoSchema = z.object({
  suggestedWindow: z.object({ start: instant, end: instant }),
  explanationURL: optional(z.string().max(2_000)),
});

/** The CA's renewal window for a certificate, by its id (`certificateId`). Sends one unsigned GET.
 *  `undefined` if the CA has no renewalInfo, refuses for good, or answers with no valid window (§4.3.3).
 *  @throws AcmeError if a later attempt may succeed: no answer, 429, or 5xx. */
export async function readRenewalInfo(
  certificateId: string,
  { transport, clock, log }: RenewalSource,
  signal: AbortSignal,
): Promise<RenewalInfo | undefined> {
  const { renewalInfo } = await transport.directory(signal);
  if (renewalInfo === undefined) return undefined;
  const ignore = (problem: string): undefined => {
    log.debug('renewal info ignored', { certificateId, problem });
  };
  try {
    const { data, headers, url } = await transport.get(
      `${renewalInfo.replace(/(?<!\/)\/+$/, '')}/${certificateId}`,
      answerMs,
      signal,
    );
    const { data: parsed } = renewalInfoSchema.safeParse(data);
    if (!parsed) return ignore('the answer is not RFC 9773');
    const { start, end } = parsed.suggestedWindow;
    if (end <= start) return ignore('the window ends before it begins');
    const waitMs = readWait(headers['retry-after'], clock.now());
    const retryAfterMs = Number.isNaN(waitMs) ? defaultRetryAfterMs : waitMs;
    return {
      start,
      end,
      explanationUrl: resolvePage(parsed.explanationURL, url),
      retryAfterMs: Math.min(Math.max(retryAfterMs, minuteMs), dayMs),
    };
  } catch (error) {
    if (!(error instanceof AcmeError) || isTemporary(error)) throw error;
    return ignore(error.message);
  }
}

/** The absolute URL of a page; `undefined` if it is not https, or no URL. */
function resolvePage(reference: string | undefined, base: string): string | undefined {
  const url = reference === undefined ? undefined : URL.parse(reference, base);
  if (reference === undefined || /\s/.test(reference) || url?.protocol !== 'https:') return undefined;
  return URL.canParse(reference) ? reference : url.href;
}

function isTemporary({ code, problem }: AcmeError): boolean {
  const status = problem?.status ?? 0;
  return code === 'Unreachable' || status === 429 || status >= 500;
}
