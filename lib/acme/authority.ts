// One account at one CA: orders, authorizations and certificates (RFC 8555 §7), every answer parsed.
import * as z from 'zod';
import type { Authorization, CertificateAuthority, Order } from '../acme-ports.ts';
import { maxNamesOf } from '../certificate/profiles.ts';
import type { IssuerSpec } from '../certificate/spec.ts';
import { AcmeError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports.ts';
import { chooseChain, type Download } from './chains.ts';
import { chooseProof } from './challenges.ts';
import type { Answer } from './exchange.ts';
import { readProblem, readRetryAfter } from './problem.ts';
import { readRenewalInfo } from './renewal-info.ts';
import { revokeCertificate } from './revocation.ts';
import type { Session } from './session.ts';
import type { Transport } from './transport.ts';

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
  authorizations: z.array(z.url()).max(1_000).default([]),
  finalize: z.url(),
  certificate: z.url().optional(),
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
  url: z.url(),
  status: z.enum(['pending', 'processing', 'valid', 'invalid']),
  // RFC 8555 §8.1: base64url. Anything else could not have come from a sound CA, and ends up in DNS.
  token: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(512)
    .optional(),
  'issuer-domain-names': z.array(issuerDomain).max(10).optional().catch(undefined),
  error: problem,
});

export interface AuthorityParts {
  readonly issuer: IssuerSpec;
  readonly transport: Transport;
  readonly session: Session;
  /** Thumbprint of the account's key. */
  readonly thumbprint: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The account's view of its CA. */
export function openAuthority(parts: AuthorityParts): CertificateAuthority {
  const { issuer, transport, session, clock, log } = parts;
  const toOrder = (response: Answer, url?: string) => parseOrder(response, url, clock.now());
  const download = async (url: string, signal: AbortSignal): Promise<Download> => {
    const { data, headers } = await session.post(url, undefined, signal);
    if (typeof data !== 'string')
      throw new AcmeError('Malformed', 'the CA answered a certificate that is not PEM');
    return { url, chain: data, link: headers.link };
  };

  return {
    directory: issuer.directory,
    async newOrder(request, signal) {
      await requireProfile(request, parts, signal);
      return toOrder(await createOrder(request, parts, signal));
    },
    renewalInfo: (certificateId, signal) => readRenewalInfo(certificateId, parts, signal),
    async readOrder(url, signal) {
      return toOrder(await session.post(url, undefined, signal), url);
    },
    async readAuthorization(url, signal) {
      const { data } = await session.post(url, undefined, signal);
      return parseAuthorization(url, data);
    },
    async answerChallenge(url, signal) {
      await session.post(url, {}, signal);
    },
    async finalize(order, csr, signal) {
      const der = Buffer.from(csr.replace(/-----[^-]+-----|\s/g, ''), 'base64').toString('base64url');
      return toOrder(await session.post(order.finalize, { csr: der }, signal), order.url);
    },
    async downloadCertificate(order, signal) {
      if (!order.certificate)
        throw new AcmeError('Malformed', `order ${order.url} is valid but names no certificate`);
      const first = await download(order.certificate, signal);
      if (issuer.preferredChain === undefined) return first.chain;
      return chooseChain(first, issuer.preferredChain, (url) => download(url, signal), log);
    },
    revoke: (certificate, reason, signal) => {
      const { signer, accountUrl } = session;
      return revokeCertificate(certificate, reason, { transport, signer, accountUrl }, signal);
    },
    proofOf: (authorization) =>
      chooseProof(authorization, issuer.challenge, {
        thumbprint: parts.thumbprint,
        accountUrl: session.accountUrl,
      }),
  };
}

type OrderRequest = Parameters<CertificateAuthority['newOrder']>[0];

/** newOrder. What is wrong with `replaces` must not cost the order, so it is left out, once, where it may be the reason of a
 *  refusal (RFC 9773 §5). */
async function createOrder(
  { domains, profile, replaces }: OrderRequest,
  { transport, session, log }: AuthorityParts,
  signal: AbortSignal,
): Promise<Answer> {
  const identifiers = domains.map((value) => ({ type: 'dns', value }));
  const plain = { identifiers, ...(profile === undefined ? {} : { profile }) };
  const { newOrder, renewalInfo } = await transport.directory(signal);
  const ask = (payload: object) => session.post(newOrder, payload, signal);
  if (replaces === undefined || renewalInfo === undefined) return ask(plain);
  try {
    return await ask({ ...plain, replaces });
  } catch (error) {
    if (!(error instanceof AcmeError) || !mayBlameReplaces(error)) throw error;
    log.warn('order that replaces a certificate refused, ordered without', {
      names: domains,
      replaces,
      problem: error.message,
    });
    return ask(plain);
  }
}

/** Boulder has a type for one refusal alone; Pebble answers 500 for a certificate that it does not know. */
function mayBlameReplaces({ problem }: AcmeError): boolean {
  if (problem === undefined) return false;
  const { type, status = 0 } = problem;
  return ['alreadyReplaced', 'malformed', 'unauthorized'].includes(type) || [404, 409, 500].includes(status);
}

/** @throws AcmeError `Unsupported` where the CA does not offer the profile, naming those it offers, or not for so many names. */
async function requireProfile(
  { domains, profile }: OrderRequest,
  { issuer, transport }: AuthorityParts,
  signal: AbortSignal,
): Promise<void> {
  const most = maxNamesOf(issuer.directory, profile);
  if (most !== undefined && domains.length > most) {
    const what = profile === undefined ? 'the CA' : `the profile "${profile}"`;
    throw new AcmeError(
      'Unsupported',
      `${what} allows ${most} names in a certificate, and this one has ${domains.length}: make two of it`,
    );
  }
  if (profile === undefined) return;
  const offered = Object.keys((await transport.directory(signal)).meta?.profiles ?? {});
  if (offered.includes(profile)) return;
  const choice =
    offered.length > 0
      ? `it offers ${offered.join(', ')}`
      : 'it offers none; remove "profile" from the issuer';
  throw new AcmeError('Unsupported', `the CA does not offer the profile "${profile}": ${choice}`);
}

function parseOrder(response: Answer, knownUrl: string | undefined, now: Date): Order {
  const parsed = orderSchema.safeParse(response.data);
  const url = knownUrl ?? response.headers.location;
  if (!parsed.success || url === undefined || !URL.canParse(url)) {
    throw new AcmeError(
      'Malformed',
      `the CA answered an order that is not RFC 8555 §7.1.3 (${url ?? 'no Location'})`,
    );
  }
  const { error, identifiers, ...order } = parsed.data;
  return {
    ...order,
    url,
    names: identifiers?.map(({ value }) => value.toLowerCase()),
    problem: error,
    retryAfterMs: readRetryAfter(response.headers['retry-after'], now),
  };
}

function parseAuthorization(url: string, value: unknown): Authorization {
  const parsed = authorizationSchema.safeParse(value);
  if (!parsed.success)
    throw new AcmeError('Malformed', `the CA answered an authorization that is not RFC 8555 §7.1.4 (${url})`);
  const challenges = parsed.data.challenges.flatMap((value) => {
    // Challenge types we do not know have shapes we do not know (§8): passed over.
    const challenge = challengeSchema.safeParse(value);
    if (!challenge.success) return [];
    const { error, 'issuer-domain-names': issuerDomains, ...rest } = challenge.data;
    return [{ ...rest, issuerDomains, problem: error }];
  });
  const { identifier, status, wildcard = false } = parsed.data;
  return { url, name: identifier.value.toLowerCase(), isWildcard: wildcard, status, challenges };
}
