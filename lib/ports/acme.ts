// Port to a CA, as one ACME account sees it (RFC 8555). Each comment is part of the contract.
import type { RevocationReason } from '../certificate/revocation.ts';
import type { KeyType } from '../certificate/spec.ts';
import type { CaaSubject } from '../policy/dns/caa.ts';
import { CertrelayError } from './errors.ts';

/** Why a request to a CA failed.
 *  - `Problem`: the CA refused it; `problem` says why.
 *  - `Invalid`: an order became invalid; `problem` says why.
 *  - `Unreachable`: no answer came in time.
 *  - `Malformed`: the answer breaks RFC 8555.
 *  - `Unsupported`: the CA does not offer what the inventory asks for. */
export type AcmeErrorCode = 'Problem' | 'Invalid' | 'Unreachable' | 'Malformed' | 'Unsupported';

/** A failed request to a CA. */
export class AcmeError extends CertrelayError<AcmeErrorCode> {
  /** The CA's problem document (RFC 8555 §6.7), if it sent one. */
  readonly problem: AcmeProblem | undefined;
  /** The wait that the CA asks for by Retry-After, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** URL (https) of a page where a person must lift the CA's pause of a name. Until then every order for the
   *  name fails. */
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

/** An order (RFC 8555 §7.1.3). */
export interface Order {
  readonly url: string;
  readonly status: 'pending' | 'ready' | 'processing' | 'valid' | 'invalid';
  readonly expires?: Date | undefined;
  /** Its names in lower case, wildcards with their `*.`. Absent if the CA does not repeat them. */
  readonly names?: readonly string[] | undefined;
  /** URLs of the authorizations, one for each name. Empty if the CA asks for no proof. */
  readonly authorizations: readonly string[];
  /** URL to finalize the order at. */
  readonly finalize: string;
  /** URL of the certificate, once the order is valid. */
  readonly certificate?: string | undefined;
  /** The profile that the CA orders under (draft-ietf-acme-profiles §3). Absent if the CA does not say. */
  readonly profile?: string | undefined;
  /** Why the order is invalid. */
  readonly problem?: AcmeProblem | undefined;
  /** The wait that the CA asks for by Retry-After, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
}

/** An authorization of one name (RFC 8555 §7.1.4). */
export interface Authorization {
  readonly url: string;
  /** Without the `*.` of a wildcard. */
  readonly name: string;
  /** Whether the order has the wildcard of the name. */
  readonly isWildcard: boolean;
  readonly status: 'pending' | 'valid' | 'invalid' | 'deactivated' | 'expired' | 'revoked';
  /** When it ends; of a valid one, until when it may serve other orders. Absent if the CA does not say. */
  readonly expires?: Date | undefined;
  /** The wait that the CA asks for by Retry-After, in milliseconds. */
  readonly retryAfterMs?: number | undefined;
  readonly challenges: readonly Challenge[];
}

/** A challenge (RFC 8555 §8). The list of an authorization may contain types that are not supported. */
export interface Challenge {
  readonly type: string;
  readonly url: string;
  /** Absent if the type has no token. */
  readonly token?: string | undefined;
  /** Names that the CA's record may begin with (dns-persist-01). */
  readonly issuerDomains?: readonly string[] | undefined;
  /** URL of the account that the record must name, if the CA requires one (dns-persist-01, older draft). */
  readonly accountUrl?: string | undefined;
  readonly status: 'pending' | 'processing' | 'valid' | 'invalid';
  readonly problem?: AcmeProblem | undefined;
}

/** How to prove control of a name: a challenge, and the TXT value that DNS must have before it is
 *  answered. */
export interface Proof {
  readonly challenge: Challenge;
  /** Full name of the record: lower case, no trailing dot. */
  readonly name: string;
  readonly value: string;
  /** A second value that must be there too: a CA that changes drafts may look for either. */
  readonly olderValue?: string | undefined;
  /** Whether another value that stands in DNS proves the name as well as `value` does. Absent: none does. */
  readonly isMetBy?: ((text: string) => boolean) | undefined;
  /** Whether the value also proves later orders of the account, and so stays in DNS. */
  readonly isLasting: boolean;
  /** Why it is dns-01 although the issuer's challenge is dns-persist-01. */
  readonly fallbackReason?: string | undefined;
}

/** A CA's problem document (RFC 8555 §6.7, RFC 7807). */
export interface AcmeProblem {
  /** Last part of the type's URN, e.g. `rateLimited`. */
  readonly type: string;
  readonly detail: string;
  readonly status?: number | undefined;
  /** The names that the CA gives as the cause. */
  readonly identifiers: readonly string[];
}

/** The window in which the CA wants a certificate renewed (RFC 9773 §4.2). */
export interface RenewalInfo {
  readonly start: Date;
  /** After `start`. */
  readonly end: Date;
  /** URL (https) of a page of the CA that explains the window. */
  readonly explanationUrl?: string | undefined;
  /** When to ask the CA again, in milliseconds from now: 1 minute to 1 day. */
  readonly retryAfterMs: number;
}

/** One account at one CA. Every method rejects with an `AcmeError`, or with the signal's reason. If the CA
 *  has forgotten the account, the same key is registered again, once; the orders of the old account are
 *  lost. */
export interface CertificateAuthority {
  /** URL of the CA's directory. */
  readonly directory: string;
  /** URL of the account, as it is now. */
  readonly accountUrl: string;
  /** Orders a certificate for exactly these names. The CA may return an open order for the same names (RFC
   *  8555 §7.4). `replaces` is the id (`certificateId`) of the certificate that is renewed. It is left out
   *  if the CA has no renewalInfo, or refuses the order because of it (RFC 9773 §5).
   *  @throws AcmeError `Unsupported` if the CA does not offer the profile, or allows fewer names. */
  newOrder(
    request: {
      readonly domains: readonly string[];
      readonly profile?: string | undefined;
      readonly replaces?: string | undefined;
    },
    signal: AbortSignal,
  ): Promise<Order>;
  /** When to renew a certificate of this CA, by its id (`certificateId`). `undefined` if the CA has no
   *  answer, also later. Sends one unsigned request, never repeated.
   *  @throws AcmeError if the CA may answer later. */
  renewalInfo(certificateId: string, signal: AbortSignal): Promise<RenewalInfo | undefined>;
  /** The order at a URL, as it is now. */
  readOrder(url: string, signal: AbortSignal): Promise<Order>;
  /** The authorization at a URL, as it is now. */
  readAuthorization(url: string, signal: AbortSignal): Promise<Authorization>;
  /** Asks the CA to validate the challenge at a URL. */
  answerChallenge(url: string, signal: AbortSignal): Promise<void>;
  /** Finalizes a ready order with a certificate request, and returns the order. `csr` is PKCS#10 PEM. */
  finalize(order: Order, csr: string, signal: AbortSignal): Promise<Order>;
  /** The PEM chain of a valid order as the CA sends it, which need not be in order: the issuer's preferred
   *  chain if the CA has it, else the default. */
  downloadCertificate(order: Order, signal: AbortSignal): Promise<string>;
  /** Revokes the leaf of a PEM chain (RFC 8555 §7.6). Signs with the account's key, or with the leaf's
   *  private key (`key`, PEM) if another account ordered the certificate. May be called twice. */
  revoke(
    certificate: { readonly chain: string; readonly key: string },
    reason: RevocationReason,
    signal: AbortSignal,
  ): Promise<void>;
  /** How the account proves the name of an authorization. `undefined` if the CA offers no DNS challenge.
   *  @throws AcmeError `Unsupported` if it offers only dns-persist-01, and with a record that names a
   *  stranger. */
  proofOf(authorization: Authorization): Proof | undefined;
}

/** Connects to an issuer's CA by the issuer's name, and registers an account the first time.
 *  @throws AcmeError */
export type ConnectAuthority = (issuer: string, signal: AbortSignal) => Promise<CertificateAuthority>;

/** What CAA records must allow for an issuer. Without the account's URL if there is no account yet.
 *  @throws AcmeError */
export type DescribeAuthority = (issuer: string, signal: AbortSignal) => Promise<CaaSubject>;

/** Why the CA of an issuer would refuse every such order, as a clause that says what to do; `undefined` if
 *  nothing is known against it. Orders and registers nothing.
 *  @throws AcmeError, StoreError */
export type FindObstacle = (
  issuer: string,
  order: { readonly domains: readonly string[]; readonly profile?: string | undefined },
  signal: AbortSignal,
) => Promise<string | undefined>;

/** The account at the CA of an issuer, of which the key can be exchanged. */
export interface KeyedAccount {
  /** URL of the CA's directory. */
  readonly directory: string;
  /** URL of the account. Absent: the CA knows it no more, and the next order registers one. */
  readonly url?: string | undefined;
  /** Whether persistent records name the account by a hash with its key (draft-ietf-acme-dns-persist-02). */
  readonly isHashed: boolean;
}

/** Exchanges keys of accounts (RFC 8555 §7.3.5). Each method rejects with an AcmeError, `Unsupported` if
 *  there is no account yet or the CA does not exchange keys; or with a StoreError. */
export interface AccountKeys {
  /** The account as it is. Changes nothing. */
  look(issuer: string, signal: AbortSignal): Promise<KeyedAccount>;
  /** Gives the account a new key, which is stored before it is sent to the CA. After a crash or an error,
   *  the next call or `ConnectAuthority` finishes the exchange. Call it only while no order is open: the TXT
   *  values of an open order belong to the old key. */
  exchange(issuer: string, signal: AbortSignal): Promise<KeyedAccount>;
}

/** Makes private keys and certificate requests. */
export interface KeyMaker {
  /** A new private key as PKCS#8 PEM. */
  generate(type: KeyType): Promise<string>;
  /** A certificate request as PKCS#10 PEM. The common name is the first name of at most 64 characters. */
  request(key: string, domains: readonly string[]): Promise<string>;
}
