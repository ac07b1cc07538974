// Problem documents (RFC 8555 §6.7) and Retry-After, read from answers that may be anything.
import * as z from 'zod';
import { oneLine } from '../../policy/bounds.ts';
import { AcmeError, type AcmeProblem } from '../../ports/acme.ts';

const urn = 'urn:ietf:params:acme:error:';
const identifier = z.object({ value: z.string() });
const document = z.object({
  type: z.string().default('about:blank'),
  detail: z.string().default(''),
  status: z.number().optional(),
  identifier: identifier.optional(),
  subproblems: z
    .array(
      z.object({
        type: z.string().default(''),
        detail: z.string().default(''),
        identifier: identifier.optional(),
      }),
    )
    .optional(),
});

/** Longest text of a CA's that is repeated in a message. */
const maxDetail = 1_000;
const maxType = 100;
const maxName = 260;
/** Names that a CA blames, and problems of single names. */
const maxBlamed = 100;
const maxUrl = 2_000;
/** Longest text of a CA's that is searched for a URL; every pattern sees as much at most. */
const maxSearched = 20_000;
/** No limit of a CA's is known to last longer than a week. */
const maxRetryAfterMs = 31 * 86_400_000;

/** The problem in a CA's answer; `undefined` where the value is not a problem document. */
export function readProblem(value: unknown): AcmeProblem | undefined {
  const parsed = document.safeParse(value);
  if (!parsed.success) return undefined;
  const { type, detail, status, subproblems = [] } = parsed.data;
  const parts = subproblems.slice(0, maxBlamed);
  const blamed = [parsed.data, ...parts].flatMap((part) =>
    part.identifier ? [oneLine(part.identifier.value, maxName)] : [],
  );
  const details = parts.map(
    (part) => `${(part.identifier?.value ?? 'order').slice(0, maxName)}: ${part.detail.slice(0, maxDetail)}`,
  );
  return {
    type: oneLine(type.startsWith(urn) ? type.slice(urn.length) : type, maxType),
    detail: oneLine([detail.slice(0, maxDetail), ...details].join('; '), maxDetail),
    identifiers: [...new Set(blamed)],
    status,
  };
}

/** The error for an answer with a status of 400 or more. */
export function refusal(
  host: string,
  status: number,
  body: unknown,
  retryAfterMs: number | undefined,
): AcmeError {
  const problem = readProblem(body);
  const said = problem ? `${problem.type}: ${problem.detail}` : `HTTP ${status} without a problem document`;
  const isPaused = status === 429 && problem?.type === 'rateLimited' && retryAfterMs === undefined;
  return new AcmeError('Problem', `${host} refused: ${said}`, {
    problem: { type: 'serverInternal', detail: `HTTP ${status}`, identifiers: [], ...problem, status },
    retryAfterMs,
    pausedUrl: isPaused ? findUnpauseUrl(body) : undefined,
  });
}

/** Let's Encrypt names the page only in the text, which may be longer than what is repeated of it. */
function findUnpauseUrl(body: unknown): string | undefined {
  const detail = (document.safeParse(body).data?.detail ?? '').slice(0, maxSearched);
  const urls = (detail.match(/\bhttps:\/\/[^\s"'<>]+/g) ?? []).map((text) =>
    text.replace(/(?<![.,;:!?)\]])[.,;:!?)\]]+$/, ''),
  );
  return urls.find((url) => url.length <= maxUrl && URL.parse(url)?.pathname.includes('unpause'));
}

/** Retry-After in milliseconds from `now`, as seconds or as a date (RFC 9110 §10.2.3), 31 days at most. `undefined` where
 *  there is none, where it cannot be read, and where it asks for no wait. */
export function readRetryAfter(header: string | undefined, now: Date): number | undefined {
  const text = header?.slice(0, maxType).trim() ?? '';
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : readHttpDate(text) - now.getTime();
  return ms > 0 ? Math.min(ms, maxRetryAfterMs) : undefined;
}

/** Strict, because `Date.parse` takes much for a date that is none: "soon 7" is in July 2001. */
function readHttpDate(text: string): number {
  return /^(Mon|Tues?|Wed(nes)?|Thu(rs)?|Fri|Sat(ur)?|Sun)(day)?, .+ GMT$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
}
