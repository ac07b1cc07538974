// The socket between stories and a CA: an account's view of it (RFC 8555). Each comment is part of the
// contract.
import type { RevocationReason } from '../certificate/revocation.ts';
import type { KeyType } from '../certificate/spec.ts';
import type { CaaSubject } from '../policy/dns/caa.ts';
import { CertrelayError } from './errors.ts';

/** `Problem`: the CA refused (see `problem`). `Unreachable`: no answer. `Malformed`: an answer that is not
 *  RFC 8555. `Invalid`: an order ended invalid (see `problem`). `Unsupported`: the CA cannot do what the
 *  inventory asks. */
export type AcmeErrorCode = 'Problem' | 'Invalid' | 'Unreachable' | 'Malformed' | 'Unsupported';

/** What a CA did not do, with its problem document where it sent one (RFC 8555 §6.7). */
export class AcmeError extends CertrelayError<AcmeErrorCode> {
  readonly problem: AcmeProblem | undefined;
  /** What the CA asked for by Retry-After, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** The CA has paused a name of this account: nothing is ordered for it before a person visits this page
   *  (https). */
  readonly pausedUrl: string | undefined;
  constructor(
    code: AcmeErrorCode,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly problem?: AcmeProblem | undefined;
      readonly retryAfterMs?: number | undefined;
      readonly pausedUrl?: string | undefined;
    } = {},
  ) {
    super(code, message, options);
    this.problem = options.problem;
    this.retryAfterMs = options.retryAfterMs;
    this.pausedUrl = options.pausedUrl;
  }
}

/** RFC 8555 §7.1.3. */
export interface Order {
  readonly url: string;
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  readonly expires?: Date | undefined;
  /** The names it is for, lower case, wildcards with their `*.`; absent where the CA does not repeat them. */
  readonly names?: readonly string[] | undefined;
  /** One for each name that was or is to be proved; none where the CA asks for no proof. */
  readonly authorizations: readonly string[];
  readonly finalize: string;
  readonly certificate?: string | undefined;
  readonly problem?: AcmeProblem | undefined;
  /** What the CA asked for by Retry-After, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** RFC 8555 §7.1.4; `name` without the `*.` of a wildcard. */
export interface Authorization {
  readonly url: string;
  readonly name: string;
  /** Whether the order has the name's wildcard. */
  readonly isWildcard: boolean;
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';
  readonly challenges: readonly Challenge[];
}

/** RFC 8555 §8; unknown types appear and are passed over. */
export interface Challenge {
  readonly type: string;
  readonly url: string;
  /** Absent from types that need none. */
  readonly token?: string | undefined;
  /** Names by which records may name the CA (dns-persist-01). */
  readonly issuerDomains?: readonly string[] | undefined;
  /** The account that records must name, if the CA says so (dns-persist-01). */
  readonly accountUrl?: string | undefined;
  readonly status: 'pending' | 'processing' | 'valid' | 'invalid';
  readonly problem?: AcmeProblem | undefined;
}

/** How a name is proved: the challenge to answer, and the TXT value that DNS must hold by then. */
export interface Proof {
  readonly challenge: Challenge;
  /** Full name of the record, lower case, no trailing dot. */
  readonly name: string;
  readonly value: string;
  /** Serves later orders of the account too, and so stays in DNS. */
  readonly isLasting: boolean;
}

/** RFC 8555 §6.7, RFC 7807. */
export interface AcmeProblem {
  /** Last part of the type URN, e.g. `rateLimited`. */
  readonly type: string;
  readonly detail: string;
  readonly status?: number | undefined;
  /** The names the CA blames. */
  readonly identifiers: readonly string[];
}

/** When the CA wants a certificate renewed (RFC 9773 §4.2); `end` is after `start`. */
export interface RenewalInfo {
  readonly start: Date;
  readonly end: Date;
  /** A page of the CA's, https, that says why. */
  readonly explanationUrl?: string | undefined;
  /** Not to be asked again before, and to be asked again after this time: 1 minute to 1 day. */
  readonly retryAfterMs: number;
}

/** One account at one CA. Answers are parsed; every failure is an `AcmeError`. An account that the CA has
 *  forgotten is registered again, once, with the same key; the orders of the forgotten one are gone then. */
export interface CertificateAuthority {
  readonly directory: string;
  /** Order for the exact set of names; the CA may give back an identical one that is open (RFC 8555 §7.4).
   *  `replaces` is the id of the certificate that this one renews (`certificateId`): passed over where the CA
   *  has no renewalInfo, and left out, once, where the CA refuses the order with it (RFC 9773 §5).
   *  @throws AcmeError `Unsupported` where the CA does not offer the profile, or not for so many names. */
  newOrder(
    request: {
      readonly domains: readonly string[];
      readonly profile?: string | undefined;
      readonly replaces?: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<Order>;
  /** When to renew a certificate of this CA, by its id (`certificateId`); `undefined` where the CA has no
   *  answer and will have none soon. Asked once, with no signature. @throws AcmeError where the CA may answer
   *  later. */
  renewalInfo(certificateId: string, signal: AbortSignal): Promise<RenewalInfo | undefined>;
  readOrder(url: string, signal: AbortSignal): Promise<Order>;
  readAuthorization(url: string, signal: AbortSignal): Promise<Authorization>;
  /** Tells the CA that a challenge may be validated. */
  answerChallenge(url: string, signal: AbortSignal): Promise<void>;
  /** `csr` is PKCS#10 PEM. */
  finalize(order: Order, csr: string, signal: AbortSignal): Promise<Order>;
  /** PEM chain, leaf first: the issuer's preferred one where the CA has it, else the CA's default. */
  downloadCertificate(order: Order, signal: AbortSignal): Promise<string>;
  /** Revokes the leaf of a PEM chain (RFC 8555 §7.6), in the account's name, or in that of its private key
   *  where the account did not order it. May be called twice. */
  revoke(
    certificate: { readonly chain: string; readonly key: string },
    reason: RevocationReason,
    signal: AbortSignal,
  ): Promise<void>;
  /** How the account proves the name of an authorization; `undefined` where the CA offers no challenge that
   *  DNS answers.
   *  @throws AcmeError `Unsupported` if the only one is dns-persist-01 by a record that would name a
   *  stranger. */
  proofOf(authorization: Authorization): Proof | undefined;
}

/** Gives the account at an issuer's CA, registering it the first time. */
export type ConnectAuthority = (issuer: string, signal: AbortSignal) => Promise<CertificateAuthority>;

/** What CAA records are held against for an issuer; without the account's URL where it has no account yet. */
export type DescribeAuthority = (issuer: string, signal: AbortSignal) => Promise<CaaSubject>;

/** Makes private keys and signing requests. */
export interface KeyMaker {
  /** PKCS#8 PEM. */
  generate(type: KeyType): Promise<string>;
  /** PKCS#10 PEM for the names, the first as common name where it fits (64 characters). */
  request(key: string, domains: readonly string[]): Promise<string>;
}
