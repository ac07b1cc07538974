// Problem documents (RFC 8555 §6.7) and Retry-After, read from answers that may be anything.
import * as z from 'zod';
import { AcmeError } from '../errors.ts';
import type { AcmeProblem } from '../ports.ts';

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

/** The problem in a CA's answer; `undefined` where the value is not a problem document. */
export function readProblem(value: unknown): AcmeProblem | undefined {
  const parsed = document.safeParse(value);
  if (!parsed.success) return undefined;
  const { type, detail, status, subproblems = [] } = parsed.data;
  const blamed = [parsed.data, ...subproblems].flatMap((part) =>
    part.identifier ? [part.identifier.value] : [],
  );
  const details = subproblems.map((part) => `${part.identifier?.value ?? 'order'}: ${part.detail}`);
  return {
    type: type.startsWith(urn) ? type.slice(urn.length) : type,
    detail: [detail, ...details].join('; ').slice(0, maxDetail),
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
  return new AcmeError('Problem', `${host} refused: ${said}`, {
    problem: problem ?? { type: 'serverInternal', detail: `HTTP ${status}`, status, identifiers: [] },
    retryAfterMs,
  });
}

/** Retry-After in milliseconds from `now`, as seconds or as a date (RFC 9110 §10.2.3); never negative. */
export function readRetryAfter(header: string | undefined, now: Date): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now.getTime());
}
