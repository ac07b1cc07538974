// When the CA wants a certificate renewed (RFC 9773 §4): advice, without which everything goes on.
import * as z from 'zod';
import { AcmeError, type RenewalInfo } from '../../ports/acme.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { readRetryAfter } from './problem.ts';
import type { Transport } from './transport.ts';

/** What asking needs. */
export interface RenewalSource {
  readonly transport: Transport;
  readonly clock: Clock;
  readonly log: Log;
}

/** Advice is not waited for as long as for a certificate. */
const answerMs = 10_000;
const minuteMs = 60_000;
const dayMs = 86_400_000;
/** Where the CA does not say when to ask again. */
const ordinaryRetryAfterMs = 6 * 3_600_000;

const instant = z.iso.datetime({ offset: true }).transform((text) => new Date(text));
const answer = z.object({
  suggestedWindow: z.object({ start: instant, end: instant }),
  explanationURL: z
    .url({ protocol: /^https$/ })
    .max(2_000)
    .optional()
    .catch(undefined),
});

/** The CA's window for a certificate, asked once and without a signature; `undefined` where the CA has none or gives an answer
 *  that means nothing (§4.3.3: lasting errors). @throws AcmeError for what may pass: no answer, 429 and 5xx. */
export async function readRenewalInfo(
  certificateId: string,
  { transport, clock, log }: RenewalSource,
  signal: AbortSignal,
): Promise<RenewalInfo | undefined> {
  const { renewalInfo } = await transport.directory(signal);
  if (renewalInfo === undefined) return undefined;
  const passOver = (problem: string): undefined => {
    log.debug('renewal info ignored', { certificateId, problem });
  };
  try {
    const { data, headers } = await transport.get(
      `${renewalInfo.replace(/(?<!\/)\/+$/, '')}/${certificateId}`,
      answerMs,
      signal,
    );
    const { data: parsed } = answer.safeParse(data);
    if (!parsed) return passOver('the answer is not RFC 9773');
    const { start, end } = parsed.suggestedWindow;
    if (end <= start) return passOver('the window ends before it begins');
    const asked = readRetryAfter(headers['retry-after'], clock.now()) ?? ordinaryRetryAfterMs;
    return {
      start,
      end,
      explanationUrl: parsed.explanationURL,
      retryAfterMs: Math.min(Math.max(asked, minuteMs), dayMs),
    };
  } catch (error) {
    if (!(error instanceof AcmeError) || isTemporary(error)) throw error;
    return passOver(error.message);
  }
}

function isTemporary({ code, problem }: AcmeError): boolean {
  const status = problem?.status ?? 0;
  return code === 'Unreachable' || status === 429 || status >= 500;
}
