// One account at one CA: orders, authorizations and certificates (RFC 8555 §7), every answer parsed.
import { createHash, createPrivateKey, type KeyObject } from 'node:crypto';
import AcmeApi, { type Response } from 'acme-client/src/api.js';
import * as z from 'zod';
import { AcmeError } from '../errors.ts';
import type { Authorization, CertificateAuthority, Clock, Order } from '../ports.ts';
import { readProblem, readRetryAfter } from './problem.ts';
import { revokeCertificate } from './revocation.ts';
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
  authorizations: z.array(z.url()).max(1_000),
  finalize: z.url(),
  certificate: z.url().optional(),
  error: problem,
});

const authorizationSchema = z.object({
  identifier: z.object({ type: z.string(), value: z.string() }),
  status: z.enum(['pending', 'valid', 'invalid', 'deactivated', 'expired', 'revoked']),
  challenges: z.array(z.unknown()).max(100),
});

const challengeSchema = z.object({
  type: z.string(),
  url: z.url(),
  status: z.enum(['pending', 'processing', 'valid', 'invalid']),
  // RFC 8555 §8.1: base64url. Anything else could not have come from a sound CA, and ends up in DNS.
  token: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(512),
  error: problem,
});

/** The account's view of its CA. `key` is the account's private key, `accountUrl` its `kid`. */
export function openAuthority(
  {
    transport,
    clock,
    directory,
  }: { readonly transport: Transport; readonly clock: Clock; readonly directory: string },
  key: KeyObject,
  accountUrl: string,
): CertificateAuthority {
  const signer = transport.signer(key);
  const api = (signal: AbortSignal) => new AcmeApi(transport.signed(signer, signal), accountUrl);
  const thumb = thumbprint(key);
  const toOrder = (response: Response, url?: string) => parseOrder(response, url, clock.now());

  return {
    directory,
    async newOrder({ domains, profile }, signal) {
      if (profile !== undefined) await requireProfile(transport, profile, signal);
      const identifiers = domains.map((value) => ({ type: 'dns', value }));
      return toOrder(
        await api(signal).createOrder({ identifiers, ...(profile === undefined ? {} : { profile }) }),
      );
    },
    async readOrder(url, signal) {
      return toOrder(await api(signal).getOrder(url), url);
    },
    async readAuthorization(url, signal) {
      return parseAuthorization(url, (await api(signal).getAuthorization(url)).data);
    },
    async answerChallenge(url, signal) {
      await api(signal).completeChallenge(url, {});
    },
    async finalize(order, csr, signal) {
      const der = Buffer.from(csr.replace(/-----[^-]+-----|\s/g, ''), 'base64').toString('base64url');
      return toOrder(await api(signal).finalizeOrder(order.finalize, { csr: der }), order.url);
    },
    async downloadCertificate(order, signal) {
      if (!order.certificate)
        throw new AcmeError('Malformed', `order ${order.url} is valid but names no certificate`);
      const { data } = await api(signal).apiRequest(order.certificate, null, [200]);
      if (typeof data !== 'string')
        throw new AcmeError('Malformed', 'the CA answered a certificate that is not PEM');
      return data;
    },
    revoke: (certificate, reason, signal) =>
      revokeCertificate(certificate, reason, { transport, signer, accountUrl }, signal),
    txtValue: (token) => createHash('sha256').update(`${token}.${thumb}`).digest('base64url'),
  };
}

/** JWK thumbprint of an account key (RFC 7638), base64url. */
export function thumbprint(key: KeyObject): string {
  const { kty, crv, x, y, n, e } = key.export({ format: 'jwk' });
  const required = kty === 'RSA' ? { e, kty, n } : { crv, kty, x, y };
  return createHash('sha256').update(JSON.stringify(required)).digest('base64url');
}

/** @throws AcmeError `Unsupported`, naming the profiles that exist, where the CA does not offer this one. */
async function requireProfile(transport: Transport, profile: string, signal: AbortSignal): Promise<void> {
  const offered = Object.keys((await transport.directory(signal)).meta?.profiles ?? {});
  if (offered.includes(profile)) return;
  const choice =
    offered.length > 0
      ? `it offers ${offered.join(', ')}`
      : 'it offers none; remove "profile" from the issuer';
  throw new AcmeError('Unsupported', `the CA does not offer the profile "${profile}": ${choice}`);
}

function parseOrder(response: Response, knownUrl: string | undefined, now: Date): Order {
  const parsed = orderSchema.safeParse(response.data);
  const url = knownUrl ?? response.headers.location;
  if (!parsed.success || url === undefined || !URL.canParse(url)) {
    throw new AcmeError(
      'Malformed',
      `the CA answered an order that is not RFC 8555 §7.1.3 (${url ?? 'no Location'})`,
    );
  }
  const { error, ...order } = parsed.data;
  return {
    ...order,
    url,
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
    const { error, ...rest } = challenge.data;
    return [{ ...rest, problem: error }];
  });
  return { url, name: parsed.data.identifier.value.toLowerCase(), status: parsed.data.status, challenges };
}

/** Account keys are kept as PKCS#8 PEM. @throws AcmeError `Malformed` where the text is no private key. */
export function readAccountKey(pem: string): KeyObject {
  try {
    return createPrivateKey(pem);
  } catch {
    throw new AcmeError('Malformed', 'the stored ACME account key cannot be read');
  }
}
