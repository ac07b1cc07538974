// What a test may tell the embedded CA to be like, before it starts and while it runs.

/** A certificate profile, listed in the directory's `meta.profiles`. */
export interface Profile {
  readonly description: string;
  readonly lifetimeMs: number;
  readonly orderLifetimeMs: number;
  /** How long an authorization may be proved, and how long it serves once it is. */
  readonly pendingAuthorizationMs: number;
  readonly authorizationLifetimeMs: number;
  readonly maxNames: number;
  /** Whether the certificate gets a common name beside its alternative names. */
  readonly commonName: boolean;
}

/** When the CA wants a certificate renewed (RFC 9773 §4.2). */
export interface RenewalWindow {
  readonly start: Date;
  readonly end: Date;
  readonly explanationURL?: string;
}

/** May be changed at any time; the next request sees the change. */
export interface Settings {
  /** The first is what an order without a profile gets. */
  profiles: Readonly<Record<string, Profile>>;
  /** Certificate lifetime instead of the profile's. */
  lifetimeMs: number | undefined;
  /** Order lifetime instead of the profile's. */
  orderLifetimeMs: number | undefined;
  /** How long an order stays `processing` after finalize; 0: the answer to finalize is `valid` already. */
  processingMs: number;
  /** Whether newOrder gives back an open order of the account for the same names and profile, as Boulder
   *  does. RFC 8555 does not ask for it. */
  orderReuse: boolean;
  /** Whether a valid authorization serves later orders of the account under the same profile, as at Let's
   *  Encrypt: not if its end is near, and never if a dns-persist-01 record proved it. */
  authorizationReuse: boolean;
  /** How long a valid authorization serves, instead of the profile's time. */
  authorizationLifetimeMs: number | undefined;
  /** Waited before a challenge is validated. */
  validationDelayMs: number;
  /** Sent as Retry-After with orders and authorizations that are not finished; none by default, as
   *  Boulder. */
  retryAfterSeconds: number | undefined;
  /** Names for which newOrder is refused. */
  readonly rejectIdentifiers: Set<string>;
  /** Names (without `*.`) whose challenge fails whatever DNS says. */
  readonly failValidation: Set<string>;
  /** Names for which newOrder is `rateLimited` until a person acts, as Let's Encrypt pauses them. */
  readonly pausedNames: Set<string>;
  /** MAC keys for external account binding, base64url, by key identifier (RFC 8555 §7.3.4). */
  readonly externalAccounts: Map<string, string>;
  /** Whether a new account must be bound to one of them. */
  externalAccountRequired: boolean;
  /** Whether new orders are born ready, as those of a CA that has checked its customers elsewhere: with
   *  authorizations that are `valid` and hold no challenge, or with the authorizations `omitted`. */
  preauthorized: 'no' | 'valid' | 'omitted';
  /** Whether names can be proved by a record that stays (draft-ietf-acme-dns-persist-01). */
  persistentChallenges: boolean;
  /** The draft of dns-persist-01 that it speaks: 1 has the account's URL in the record, 2 a hash of it. */
  persistentDraft: 1 | 2;
  /** Renewal windows instead of the computed ones, by serial: lower-case hex without a leading 00 (RFC 9773
   *  §4.2). */
  readonly renewalWindows: Map<string, RenewalWindow>;
  /** Names that each certificate gets beside those of its order, as commercial CAs add `www.`. */
  addNames: ((names: readonly string[]) => readonly string[]) | undefined;
  /** What is sent in place of a chain, one PEM text a certificate: CAs and proxies send copies, roots and
   *  strangers, in any order. */
  bendChain: ((certificates: readonly string[]) => readonly string[]) | undefined;
}

const dayMs = 86_400_000;

const hourMs = 3_600_000;
/** What Let's Encrypt's newer profiles have in common (docs/profiles, 2026-07-14). */
const brief = {
  orderLifetimeMs: 8 * hourMs,
  pendingAuthorizationMs: hourMs,
  authorizationLifetimeMs: 7 * hourMs,
  maxNames: 25,
  commonName: false,
};

/** Let's Encrypt's profiles, and no delay anywhere. */
export function defaultSettings(): Settings {
  return {
    profiles: {
      classic: {
        description: 'ninety days',
        lifetimeMs: 90 * dayMs,
        orderLifetimeMs: 7 * dayMs,
        pendingAuthorizationMs: 7 * dayMs,
        authorizationLifetimeMs: 30 * dayMs,
        maxNames: 100,
        commonName: true,
      },
      tlsserver: { description: 'forty-five days', lifetimeMs: 45 * dayMs, ...brief },
      shortlived: { description: '160 hours', lifetimeMs: 160 * hourMs, ...brief },
    },
    lifetimeMs: undefined,
    orderLifetimeMs: undefined,
    processingMs: 0,
    orderReuse: true,
    authorizationReuse: true,
    authorizationLifetimeMs: undefined,
    validationDelayMs: 0,
    retryAfterSeconds: undefined,
    rejectIdentifiers: new Set(),
    failValidation: new Set(),
    pausedNames: new Set(),
    externalAccounts: new Map(),
    externalAccountRequired: false,
    preauthorized: 'no',
    persistentChallenges: false,
    persistentDraft: 1,
    renewalWindows: new Map(),
    addNames: undefined,
    bendChain: undefined,
  };
}
