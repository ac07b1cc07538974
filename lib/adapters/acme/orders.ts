// Parses the orders and authorizations in responses of a CA, which may hold anything (RFC 8555 §7.1).
import * as z from 'zod';
import { challengeTypes } from '../../certificate/spec.ts';
import { AcmeError, type Authorization, type Order } from '../../ports/acme.ts';
import type { AcmeResponse } from './http.ts';
import { optional, optionalList } from './members.ts';
import type { Origins } from './origins.ts';
import { readProblem, readRetryAfter } from './problem.ts';

const problem = optional(z.unknown().transform((value) => readProblem(value)));
const instant = z
  .string()
  .transform((text) => new Date(text))
  .refine((date) => !Number.isNaN(date.getTime()));
/** Most authorizations of an order. */
const maxAuthorizations = 1_000;

const orderSchema = z.object({
  status: z.enum(['pending', 'ready', 'processing', 'valid', 'invalid']),
  expires: optional(instant),
  identifiers: optional(z.array(z.object({ value: z.string() }))),
  // A CA that knows its customers by other means asks for no proof, and may leave the member out.
  authorizations: z.array(z.string()).max(maxAuthorizations).nullish(),
  finalize: z.string().min(1),
  certificate: optional(z.string()),
  profile: optional(z.string().max(200)),
  error: problem,
});

/** An order that has been validated: what was needed for that is read only if it is well formed. */
const readySchema = orderSchema.extend({
  status: z.literal('ready'),
  authorizations: optionalList(z.string().min(1), maxAuthorizations),
});
/** An order that is finalized, or over. */
const finalizedSchema = readySchema.extend({
  status: z.enum(['processing', 'valid', 'invalid']),
  finalize: optional(z.string()),
});
const anyOrder = z.union([finalizedSchema, readySchema, orderSchema]);

const authorizationSchema = z.object({
  identifier: z.object({ type: optional(z.string()), value: z.string() }),
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  expires: optional(instant),
  challenges: z.array(z.unknown()).max(100).nullish(),
  wildcard: optional(z.boolean()),
});

/** A CA's name for itself. It is written to DNS, so it must be a DNS name. */
const issuerDomain = z.string().regex(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/i);
/** The same in the newer draft, which allows lower case only. */
const lowerIssuerDomain = issuerDomain.refine((name) => name === name.toLowerCase());

const challengeSchema = z.object({
  type: z.string(),
  url: z.string(),
  status: optional(z.enum(['pending', 'processing', 'valid', 'invalid'])),
  // RFC 8555 §8.1: base64url. A hash of it is written to DNS, so anything else is refused.
  token: optional(
    z
      .string()
      .regex(/^[A-Za-z0-9_-]+$/)
      .max(512),
  ),
  // draft-ietf-acme-dns-persist-02, and the older one.
  issuerDomainNames: optional(z.array(lowerIssuerDomain).min(1).max(10)),
  'issuer-domain-names': optional(z.array(issuerDomain).max(10)),
  accounturi: optional(z.string().max(2_000)),
  error: problem,
});

/** The order in a response. Its `url` is `knownUrl`, or the response's Location if that is `undefined`. Every
 *  URL in it is absolute and of an origin of the CA. An authorization that the CA names twice is there once.
 *  `now` serves to read Retry-After.
 *  @throws AcmeError `Malformed` if the response holds no order, or a URL of another origin. */
export function parseOrder(
  response: AcmeResponse,
  knownUrl: string | undefined,
  origins: Origins,
  now: Date,
): Order {
  const parsed = anyOrder.safeParse(response.data);
  const reference = knownUrl ?? response.headers.location;
  if (!parsed.success || !reference) {
    const orderUrl = (reference || 'no Location').slice(0, 200);
    throw new AcmeError(
      'Malformed',
      `the CA answered with an order that breaks RFC 8555 §7.1.3 (${orderUrl})`,
    );
  }
  const resolve = (text: string) => origins.resolve(text, response.url);
  const { error, identifiers, authorizations, finalize, certificate, ...order } = parsed.data;
  return {
    ...order,
    url: resolve(reference),
    authorizations: [...new Set((authorizations ?? []).map(resolve))],
    finalize: resolve(finalize ?? reference),
    ...(certificate === undefined ? {} : { certificate: resolve(certificate) }),
    names: (identifiers?.length ? identifiers : undefined)?.map(({ value }) => value.toLowerCase()),
    problem: error,
    retryAfterMs: readRetryAfter(response.headers['retry-after'], now),
  };
}

/** The authorization in the response from `url`. A challenge that cannot be read is left out. `now` serves to
 *  read Retry-After.
 *  @throws AcmeError `Malformed` if the response holds no authorization, one for something other than a DNS
 *  name, or a known challenge at an origin that is not the CA's. */
export function parseAuthorization(
  response: AcmeResponse,
  url: string,
  origins: Origins,
  now: Date,
): Authorization {
  const parsed = authorizationSchema.safeParse(response.data);
  if (!parsed.success)
    throw new AcmeError(
      'Malformed',
      `the CA answered with an authorization that breaks RFC 8555 §7.1.4 (${url})`,
    );
  const { identifier, status, expires, wildcard = false } = parsed.data;
  const { type: identifierType = 'dns' } = identifier;
  if (identifierType !== 'dns') {
    const [type, value] = [identifierType, identifier.value].map((text) =>
      JSON.stringify(text.slice(0, 100)),
    );
    throw new AcmeError(
      'Malformed',
      `the CA wants proof of ${value}, which is of the type ${type}; only DNS names were ordered (${url})`,
    );
  }
  const challenges = (parsed.data.challenges ?? []).flatMap((value) => {
    // A challenge of an unknown type may have any shape (§8).
    const challenge = challengeSchema.safeParse(value);
    if (!challenge.success) return [];
    const {
      error,
      issuerDomainNames,
      'issuer-domain-names': olderNames,
      accounturi,
      ...rest
    } = challenge.data;
    const issuerDomains = issuerDomainNames ?? olderNames;
    const { status: challengeStatus = 'pending' } = rest;
    // Challenges of other types are never answered, so their URL may be any text.
    const isKnown = challengeTypes.some((type) => type === rest.type);
    const challengeUrl = isKnown ? origins.resolve(rest.url, response.url) : rest.url;
    return [
      {
        ...rest,
        status: challengeStatus,
        url: challengeUrl,
        issuerDomains,
        accountUrl: accounturi,
        problem: error,
      },
    ];
  });
  const { name, isWildcard } = readName(identifier.value);
  return {
    url,
    name,
    isWildcard: isWildcard || wildcard,
    status,
    expires,
    retryAfterMs: readRetryAfter(response.headers['retry-after'], now),
    challenges,
  };
}

/** The name in lower case, without trailing dot and without the `*.` of a wildcard, which some CAs keep
 *  although RFC 8555 §7.1.4 forbids it. Letters beyond ASCII stay as they are: no name in an order has
 *  one. */
function readName(value: string): { readonly name: string; readonly isWildcard: boolean } {
  const lower = value.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  const name = lower.endsWith('.') ? lower.slice(0, -1) : lower;
  return name.startsWith('*.') ? { name: name.slice(2), isWildcard: true } : { name, isWildcard: false };
}
