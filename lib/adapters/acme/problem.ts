// Parses problem documents (RFC 8555 §6.7) and Retry-After in a CA's responses, which may hold anything.
import * as z from 'zod';
import { oneLine } from '../../policy/bounds.ts';
import { AcmeError, type AcmeProblem } from '../../ports/acme.ts';
import { optional, optionalList } from './members.ts';

const urn = 'urn:ietf:params:acme:error:';
const identifier = optional(z.object({ value: z.string() }));
const text = optional(z.string());
/** Most subproblems of a document that is read. */
const maxSubproblems = 10_000;
const subproblem = z.object({ detail: text, identifier });
const document = z.object({
  type: text,
  detail: text,
  status: optional(z.number()),
  identifier,
  subproblems: optionalList(subproblem, maxSubproblems),
});

/** Longest text of a CA that is repeated in a message, in characters. */
const maxDetail = 1_000;
/** Longest problem type and Retry-After, in characters. */
const maxType = 100;
/** Longest name that a CA blames, in characters. */
const maxName = 260;
/** Most subproblems that are read. */
const maxBlamed = 100;
/** Longest URL of a page to unpause, in characters. */
const maxUrl = 2_000;
/** How much of a CA's text is searched for a URL, in characters; this bounds the time of each pattern. */
const maxSearched = 20_000;
/** Longest wait that Retry-After can ask for. No known limit of a CA lasts longer than a week. */
const maxRetryAfterMs = 31 * 86_400_000;

/** The problem document in a response's body, its texts shortened and on one line. `undefined` if the value
 *  is not a problem document. */
export function readProblem(value: unknown): AcmeProblem | undefined {
  const parsed = document.safeParse(value);
  if (!parsed.success) return undefined;
  const { type = 'about:blank', detail = '', status, subproblems = [] } = parsed.data;
  // An empty object is what some CAs write for "no error".
  if (parsed.data.type === undefined && detail === '' && subproblems.length === 0) return undefined;
  const parts = subproblems.slice(0, maxBlamed);
  const blamed = [parsed.data, ...parts].flatMap((part) =>
    part.identifier ? [oneLine(part.identifier.value, maxName)] : [],
  );
  // Some CAs repeat the whole as its only part.
  const isRepeated = parts.length === 1 && detail.includes(parts[0]?.detail ?? '');
  const details = (isRepeated ? [] : parts).map(
    (part) =>
      `${(part.identifier?.value ?? 'order').slice(0, maxName)}: ${(part.detail ?? '').slice(0, maxDetail)}`,
  );
  return {
    type: oneLine(type.startsWith(urn) ? type.slice(urn.length) : type, maxType),
    detail: oneLine([detail.slice(0, maxDetail), ...new Set(details)].join('; '), maxDetail),
    identifiers: [...new Set(blamed)],
    status,
  };
}

/** The `Problem` error for a response with a status of 400 or more. `host` is the CA's. A `rateLimited`
 *  without Retry-After is how Let's Encrypt pauses a name: then the error has a `pausedUrl` if the text names
 *  one. */
export function refusal(
  host: string,
  status: number,
  body: unknown,
  retryAfterMs: number | undefined,
): AcmeError {
  const problem = readProblem(body);
  const reason = problem ? `${problem.type}: ${problem.detail}` : `HTTP ${status} without a problem document`;
  const isPaused = status === 429 && problem?.type === 'rateLimited' && retryAfterMs === undefined;
  return new AcmeError('Problem', `${host} refused: ${reason}`, {
    problem: { type: 'serverInternal', detail: `HTTP ${status}`, identifiers: [], ...problem, status },
    retryAfterMs,
    pausedUrl: isPaused ? findUnpauseUrl(body) : undefined,
  });
}

/** URL of the page that lifts a pause. Let's Encrypt names it only in the text, beyond `maxDetail`
 *  sometimes. */
function findUnpauseUrl(body: unknown): string | undefined {
  const detail = (document.safeParse(body).data?.detail ?? '').slice(0, maxSearched);
  const urls = (detail.match(/\bhttps:\/\/[^\s"'<>]+/g) ?? []).map((text) =>
    text.replace(/(?<![.,;:!?)\]])[.,;:!?)\]]+$/, ''),
  );
  return urls.find((url) => url.length <= maxUrl && URL.parse(url)?.pathname.includes('unpause'));
}

/** The wait that a Retry-After header asks for (seconds or a date, RFC 9110 §10.2.3), in milliseconds from
 *  `now`, at most 31 days. `undefined` if the header is absent, cannot be read, or asks for no wait. */
export function readRetryAfter(header: string | undefined, now: Date): number | undefined {
  const ms = readWait(header, now);
  return ms > 0 ? Math.min(ms, maxRetryAfterMs) : undefined;
}

/** Milliseconds from `now` of a Retry-After header; 0 or less if it asks for no wait, NaN if it cannot be
 *  read. */
export function readWait(header: string | undefined, now: Date): number {
  const text = header?.slice(0, maxType).trim() ?? '';
  return /^\d+$/.test(text) ? Number(text) * 1000 : readHttpDate(text) - now.getTime();
}

/** Epoch milliseconds of an HTTP date; NaN for other text. `Date.parse` alone is too kind: it takes "soon 7"
 *  for July 2001. */
function readHttpDate(text: string): number {
  return /^(Mon|Tues?|Wed(nes)?|Thu(rs)?|Fri|Sat(ur)?|Sun)(day)?, .+ GMT$/.test(text)
    ? Date.parse(text)
    : Number.NaN;
}
