// Orders and authorizations as a CA answers them (RFC 8555 §7.1.3, §7.1.4), read from answers that may be anything.
import * as z from 'zod';
import { challengeTypes } from '../../certificate/spec.ts';
import { AcmeError, type Authorization, type Order } from '../../ports/acme.ts';
import type { Answer } from './exchange.ts';
import type { Origins } from './origins.ts';
import { readProblem, readRetryAfter } from './problem.ts';

const problem = z
  .unknown()
  .transform((value) => readProblem(value))
  .optional();
const instant = z
  .string()
  .transform((text) => new Date(text))
  .refine((date) => !Number.isNaN(date.getTime()));

const orderSchema = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  expires: instant.optional().catch(undefined),
  identifiers: z
    .array(z.object({ value: z.string() }))
    .optional()
    .catch(undefined),
  // CAs that know their customers otherwise ask for no proof, and may leave the member out.
  authorizations: z.array(z.string()).max(1_000).default([]),
  finalize: z.string(),
  certificate: z.string().optional(),
  error: problem,
});

const authorizationSchema = z.object({
  identifier: z.object({ type: z.string(), value: z.string() }),
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  challenges: z.array(z.unknown()).max(100),
  wildcard: z.boolean().optional().catch(undefined),
});

/** Ends up in DNS, so nothing but a DNS name may. */
const issuerDomain = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i);

const challengeSchema = z.object({
  type: z.string(),
  url: z.string(),
  status: z.enum(['pending', 'processing', 'valid', 'invalid']),
  // RFC 8555 §8.1: base64url. Anything else could not have come from a sound CA, and ends up in DNS.
  token: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(512)
    .optional(),
  'issuer-domain-names': z.array(issuerDomain).max(10).optional().catch(undefined),
  accounturi: z.string().max(2_000).optional().catch(undefined),
  error: problem,
});

/** The order in an answer; `url` is its URL if that is known, else the answer's Location. Every URL in it is absolute and
 *  of the CA. @throws AcmeError `Malformed`. */
export function parseOrder(
  response: Answer,
  knownUrl: string | undefined,
  origins: Origins,
  now: Date,
): Order {
  const parsed = orderSchema.safeParse(response.data);
  const reference = knownUrl ?? response.headers.location;
  if (!parsed.success || !reference) {
    const where = (reference || 'no Location').slice(0, 200);
    throw new AcmeError('Malformed', `the CA answered an order that is not RFC 8555 §7.1.3 (${where})`);
  }
  const resolve = (text: string) => origins.resolve(text, response.url);
  const { error, identifiers, authorizations, finalize, certificate, ...order } = parsed.data;
  return {
    ...order,
    url: resolve(reference),
    authorizations: authorizations.map(resolve),
    finalize: resolve(finalize),
    ...(certificate === undefined ? {} : { certificate: resolve(certificate) }),
    names: identifiers?.map(({ value }) => value.toLowerCase()),
    problem: error,
    retryAfterMs: readRetryAfter(response.headers['retry-after'], now),
  };
}

/** The authorization in an answer; a challenge that cannot be read is left out.
 *  @throws AcmeError `Malformed`, also for an identifier that is no DNS name and for a challenge at another origin. */
export function parseAuthorization(response: Answer, url: string, origins: Origins): Authorization {
  const parsed = authorizationSchema.safeParse(response.data);
  if (!parsed.success)
    throw new AcmeError('Malformed', `the CA answered an authorization that is not RFC 8555 §7.1.4 (${url})`);
  const { identifier, status, wildcard = false } = parsed.data;
  if (identifier.type !== 'dns') {
    const [type, value] = [identifier.type, identifier.value].map((text) =>
      JSON.stringify(text.slice(0, 100)),
    );
    throw new AcmeError(
      'Malformed',
      `the CA wants ${value} proved, which is of the type ${type}; only DNS names were asked (${url})`,
    );
  }
  const challenges = parsed.data.challenges.flatMap((value) => {
    // Challenge types we do not know have shapes we do not know (§8): passed over.
    const challenge = challengeSchema.safeParse(value);
    if (!challenge.success) return [];
    const { error, 'issuer-domain-names': issuerDomains, accounturi, ...rest } = challenge.data;
    // The others are never answered.
    const isKnown = challengeTypes.some((type) => type === rest.type);
    const challengeUrl = isKnown ? origins.resolve(rest.url, response.url) : rest.url;
    return [{ ...rest, url: challengeUrl, issuerDomains, accountUrl: accounturi, problem: error }];
  });
  const { name, isWildcard } = readName(identifier.value);
  return { url, name, isWildcard: isWildcard || wildcard, status, challenges };
}

/** Lower case, without trailing dot. Some CAs keep the `*.` of a wildcard (RFC 8555 §7.1.4 forbids it). Letters beyond ASCII
 *  stay as they are: no name that was asked has one. */
function readName(value: string): { readonly name: string; readonly isWildcard: boolean } {
  const lower = value.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  return name.startsWith('*.') ? { name: name.slice(2), isWildcard: true } : { name, isWildcard: false };
}
