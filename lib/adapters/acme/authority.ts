// One account at one CA: orders, authorizations and certificates (RFC 8555 §7). Parses every response.
import { derOf } from '../../certificate/pem.ts';
import { maxNamesOf } from '../../certificate/profiles.ts';
import type { IssuerSpec } from '../../certificate/spec.ts';
import { oneLine } from '../../policy/bounds.ts';
import { AcmeError, type CertificateAuthority, type Order } from '../../ports/acme.ts';
import type { Clock } from '../../ports/clock.ts';
import type { Log } from '../../ports/log.ts';
import { chooseChain, type Download } from './chains.ts';
import { chooseProof } from './challenges.ts';
import type { AcmeDirectory } from './directory.ts';
import type { AcmeResponse } from './http.ts';
import { parseAuthorization, parseOrder } from './orders.ts';
import { readRenewalInfo } from './renewal-info.ts';
import { revokeCertificate } from './revocation.ts';
import type { Session } from './session.ts';
import type { Transport } from './transport.ts';

/** What one account's connection to its CA is made of. */
export interface AuthorityParts {
  readonly issuer: IssuerSpec;
  readonly transport: Transport;
  readonly session: Session;
  /** Thumbprint of the account's key (RFC 7638). */
  readonly thumbprint: string;
  readonly clock: Clock;
  readonly log: Log;
}

/** The account's connection to its CA. */
export function openAuthority(parts: AuthorityParts): CertificateAuthority {
  const { issuer, transport, session, clock, log } = parts;
  const toOrder = async (response: AcmeResponse, url: string | undefined, signal: AbortSignal) =>
    parseOrder(response, url, await transport.origins(signal), clock.now());
  const download = async (url: string, signal: AbortSignal): Promise<Download> => {
    const { data, headers } = await session.post(url, undefined, signal);
    if (typeof data !== 'string')
      throw new AcmeError('Malformed', 'the CA answered with a certificate that is not PEM');
    return { url, chain: data, link: headers.link };
  };

  /** Read with each authorization: a proof needs both. */
  let meta: AcmeDirectory['meta'];
  let isReported = false;
  const reportOnce = (problem: string): void => {
    if (!isReported)
      log.warn('dns-01 taken instead of dns-persist-01', { directory: issuer.directory, problem });
    isReported = true;
  };

  const reportedProfiles = new Set<string>();
  const reportProfile = ({ domains, profile }: OrderRequest, { url, profile: given }: Order): void => {
    if (profile === undefined || given === undefined || given === profile) return;
    if (reportedProfiles.has(`${profile} ${given}`)) return;
    reportedProfiles.add(`${profile} ${given}`);
    const problem = `the CA was asked for the profile "${profile}" and orders under "${oneLine(given, 200)}"`;
    log.warn('other profile given', { names: domains, orderUrl: url, directory: issuer.directory, problem });
  };

  return {
    directory: issuer.directory,
    get accountUrl() {
      return session.accountUrl;
    },
    async newOrder(request, signal) {
      await requireProfile(request, parts, signal);
      const order = await toOrder(await createOrder(request, parts, signal), undefined, signal);
      reportProfile(request, order);
      return order;
    },
    renewalInfo: (certificateId, signal) => readRenewalInfo(certificateId, parts, signal),
    async readOrder(url, signal) {
      return toOrder(await session.post(url, undefined, signal), url, signal);
    },
    async readAuthorization(url, signal) {
      meta = (await transport.directory(signal)).meta;
      const response = await session.post(url, undefined, signal);
      return parseAuthorization(response, url, await transport.origins(signal), clock.now());
    },
    async answerChallenge(url, signal) {
      await session.post(url, {}, signal);
    },
    async finalize(order, csr, signal) {
      const payload = { csr: derOf(csr).toString('base64url') };
      const response = await session.post(order.finalize, payload, signal);
      return toOrder(response, order.url, signal);
    },
    async downloadCertificate(order, signal) {
      if (!order.certificate)
        throw new AcmeError('Malformed', `order ${order.url} is valid but names no certificate`);
      const first = await download(order.certificate, signal);
      const { preferredChain: preferred } = issuer;
      if (preferred === undefined) return first.chain;
      const preference = { preferred, names: order.names, now: clock.now() };
      return chooseChain(first, preference, (url) => download(url, signal), log);
    },
    revoke: (certificate, reason, signal) => {
      const { signer, accountUrl } = session;
      return revokeCertificate(certificate, reason, { transport, signer, accountUrl }, signal);
    },
    proofOf(authorization) {
      const { accountUrl } = session;
      const prover = { thumbprint: parts.thumbprint, accountUrl, meta, now: () => clock.now() };
      return chooseProof(authorization, issuer, prover, reportOnce);
    },
  };
}

type OrderRequest = Parameters<CertificateAuthority['newOrder']>[0];

/** Sends newOrder. If the CA refuses the order and `replaces` may be the reason, sends it once more without
 *  (RFC 9773 §5): a mistake in `replaces` must not cost the certificate. */
async function createOrder(
  { domains, profile, replaces }: OrderRequest,
  { transport, session, log }: AuthorityParts,
  signal: AbortSignal,
): Promise<AcmeResponse> {
  const identifiers = domains.map((value) => ({ type: 'dns', value }));
  const plain = { identifiers, ...(profile === undefined ? {} : { profile }) };
  const { newOrder, renewalInfo } = await transport.directory(signal);
  const send = (payload: object) => session.post(newOrder, payload, signal);
  if (replaces === undefined || renewalInfo === undefined) return send(plain);
  try {
    return await send({ ...plain, replaces });
  } catch (error) {
    if (!(error instanceof AcmeError) || !mayBlameReplaces(error)) throw error;
    log.warn('order with replaces refused', {
      names: domains,
      replaces,
      problem: error.message,
    });
    return send(plain);
  }
}

/** Whether `replaces` may be the reason of a refusal. Boulder has a problem type for only one such reason,
 *  and Pebble answers 500 for a certificate that it does not know. */
function mayBlameReplaces({ problem }: AcmeError): boolean {
  if (problem === undefined) return false;
  const { type, status = 0 } = problem;
  return ['alreadyReplaced', 'malformed', 'unauthorized'].includes(type) || [404, 409, 500].includes(status);
}

/** Checks an order against what the CA offers.
 *  @throws AcmeError `Unsupported` if the order has too many names, or the CA does not offer the profile. */
export async function requireProfile(
  { domains, profile }: Pick<OrderRequest, 'domains' | 'profile'>,
  { issuer, transport }: Pick<AuthorityParts, 'issuer' | 'transport'>,
  signal: AbortSignal,
): Promise<void> {
  const most = maxNamesOf(issuer.directory, profile);
  if (most !== undefined && domains.length > most) {
    const limiter = profile === undefined ? 'the CA' : `the profile "${profile}"`;
    throw new AcmeError(
      'Unsupported',
      `${limiter} allows ${most} names in a certificate, and this one has ${domains.length}: make two of it`,
    );
  }
  if (profile === undefined) return;
  const offered = Object.keys((await transport.directory(signal)).meta?.profiles ?? {});
  if (offered.includes(profile)) return;
  const advice =
    offered.length > 0
      ? `it offers ${oneLine(offered.slice(0, 100).join(', '), 1_000)}`
      : 'it offers none; remove "profile" from the issuer';
  throw new AcmeError('Unsupported', `the CA does not offer the profile "${profile}": ${advice}`);
}
