// Authorizations and their challenges: what an account has proved, or has yet to prove (RFC 8555 §7.1.4,
// §7.5).
import { randomBytes, randomInt } from 'node:crypto';
import * as z from 'zod';
import type { Account } from './accounts.ts';
import { malformed, notFound, type Problem, unauthorized } from './problem.ts';
import { json, parsePayload, type Reply } from './reply.ts';
import type { Profile, Settings } from './settings.ts';
import type { Urls } from './urls.ts';
import { issuerDomain, persistentType } from './validation.ts';

/** One way to prove the name (RFC 8555 §8). */
export interface Challenge {
  readonly id: string;
  readonly type: string;
  status: 'pending' | 'processing' | 'valid' | 'invalid';
  error?: Problem;
  validated?: Date;
}

/** One account's proof for one name (RFC 8555 §7.1.4); orders may share it. */
export interface Authorization {
  readonly id: number;
  readonly account: Account;
  /** Without `*.`. */
  readonly name: string;
  readonly wildcard: boolean;
  readonly profile: string | undefined;
  /** How long it serves once it is valid. */
  readonly lifetimeMs: number;
  /** The same for all its challenges. */
  readonly token: string;
  readonly challenges: readonly Challenge[];
  status: 'pending' | 'valid' | 'invalid' | 'deactivated';
  expires: Date;
}

/** Resolves when the challenge is proved; rejects with the problem that ends up in it. */
export type Validate = (authorization: Authorization, challenge: Challenge) => Promise<void>;

const change = z.object({ status: z.string() });

/** All authorizations of the CA. */
export class Authorizations {
  readonly #byId = new Map<number, Authorization>();
  /** The last valid one of each account, profile and identifier, for reuse. */
  readonly #valid = new Map<string, Authorization>();
  readonly #settings: Settings;
  readonly #urls: Urls;
  readonly #validate: Validate;

  constructor(settings: Settings, urls: Urls, validate: Validate) {
    this.#settings = settings;
    this.#urls = urls;
    this.#validate = validate;
  }

  /** A pending authorization, or a valid one of the account where those serve again. `profile`: what the
   *  order asks for, and what it gets. */
  obtain(
    account: Account,
    identifier: string,
    profile: { readonly asked: string | undefined; readonly given: Profile },
    now: number,
  ): Authorization {
    const { asked, given } = profile;
    const wildcard = identifier.startsWith('*.');
    const name = wildcard ? identifier.slice(2) : identifier;
    const kept = this.#valid.get(reuseKey({ account, name, wildcard, profile: asked }));
    const orderMs = this.#settings.orderLifetimeMs ?? given.orderLifetimeMs;
    if (kept && this.#settings.authorizationReuse && isReusable(kept, orderMs, now)) return kept;
    const lifetimeMs = this.#settings.authorizationLifetimeMs ?? given.authorizationLifetimeMs;
    const isProved = this.#settings.preauthorized !== 'no';
    const authorization: Authorization = {
      id: this.#byId.size + 1,
      account,
      name,
      wildcard,
      profile: asked,
      lifetimeMs,
      token: randomBytes(32).toString('base64url'),
      challenges: isProved
        ? []
        : offered(wildcard, this.#settings).map((type) => ({
            id: randomBytes(4).toString('base64url'),
            type,
            status: 'pending',
          })),
      status: isProved ? 'valid' : 'pending',
      expires: new Date(now + (isProved ? lifetimeMs : given.pendingAuthorizationMs)),
    };
    this.#byId.set(authorization.id, authorization);
    return authorization;
  }

  /** Reads (empty payload) or deactivates an authorization (RFC 8555 §7.5, §7.5.2). */
  update(account: Account, id: string, payload: Buffer): Reply {
    const authorization = this.#find(account, id);
    if (payload.length > 0) {
      if (parsePayload(change, payload).status !== 'deactivated') {
        throw malformed('an authorization can only be made "deactivated"');
      }
      authorization.status = 'deactivated';
    }
    const status = authorizationStatus(authorization);
    const { name, wildcard, expires } = authorization;
    const body = {
      identifier: { type: 'dns', value: name },
      status,
      expires: expires.toISOString(),
      challenges: visible(authorization).map((challenge) => this.#showChallenge(authorization, challenge)),
      ...(wildcard && { wildcard }),
    };
    return json(200, body, this.#retryAfter(status));
  }

  /** Reads a challenge (empty payload), or takes the client's word that it is ready and starts to validate
   *  (§7.5.1). */
  answer(account: Account, id: string, challengeId: string, payload: Buffer): Reply {
    const authorization = this.#find(account, id);
    const challenge = authorization.challenges.find((one) => one.id === challengeId);
    if (!challenge) throw notFound('there is no such challenge');
    if (payload.length > 0) {
      parsePayload(z.object({}), payload);
      this.#begin(authorization, challenge);
    }
    return json(200, this.#showChallenge(authorization, challenge), {
      location: this.#urls.challenge(account.id, authorization.id, challenge.id),
      link: [`<${this.#urls.authorization(account.id, authorization.id)}>;rel="up"`],
      ...this.#retryAfter(authorizationStatus(authorization)),
    });
  }

  #begin(authorization: Authorization, challenge: Challenge): void {
    const status = authorizationStatus(authorization);
    if (status === 'valid') return;
    if (status !== 'pending') throw malformed(`the authorization is "${status}", not "pending"`);
    if (authorization.challenges.some((one) => one.status !== 'pending')) return;
    challenge.status = 'processing';
    this.#validate(authorization, challenge).then(
      () => {
        challenge.status = 'valid';
        challenge.validated = new Date();
        if (authorization.status !== 'pending') return;
        authorization.status = 'valid';
        authorization.expires = new Date(Date.now() + authorization.lifetimeMs);
        this.#valid.set(reuseKey(authorization), authorization);
      },
      (problem: Problem) => {
        challenge.status = 'invalid';
        challenge.error = problem;
        if (authorization.status === 'pending') authorization.status = 'invalid';
      },
    );
  }

  #find(account: Account, id: string): Authorization {
    const authorization = this.#byId.get(Number(id));
    if (!authorization) throw notFound('there is no such authorization');
    if (authorization.account !== account) throw unauthorized('the authorization is of another account');
    return authorization;
  }

  #showChallenge({ id, account, token }: Authorization, challenge: Challenge): object {
    const { type, status, error, validated } = challenge;
    return {
      type,
      url: this.#urls.challenge(account.id, id, challenge.id),
      status,
      ...(type === persistentType && this.#persistentMembers(account)),
      ...(type !== unknownType && type !== persistentType && { token }),
      ...(error && { error: error.document() }),
      ...(validated && { validated: validated.toISOString() }),
    };
  }

  /** The older draft names the account too. */
  #persistentMembers(account: Account): object {
    return this.#settings.persistentDraft === 2
      ? { issuerDomainNames: [issuerDomain] }
      : { 'issuer-domain-names': [issuerDomain], accounturi: this.#urls.account(account.id) };
  }

  #retryAfter(status: string): Record<string, string> {
    const { retryAfterSeconds } = this.#settings;
    return status === 'pending' && retryAfterSeconds !== undefined
      ? { 'retry-after': String(retryAfterSeconds) }
      : {};
  }
}

/** The status now: time alone can end an authorization. */
export function authorizationStatus(authorization: Authorization): Authorization['status'] | 'expired' {
  const { status, expires } = authorization;
  return (status === 'pending' || status === 'valid') && expires <= new Date() ? 'expired' : status;
}

/** As Boulder: not with less than an eighth of an order's lifetime left, but at least an hour and at most a
 *  day, and never what a record proved that stays. */
function isReusable(authorization: Authorization, orderMs: number, now: number): boolean {
  const [hourMs, dayMs] = [3_600_000, 86_400_000];
  const leastMs = Math.min(Math.max(orderMs / 8, hourMs), dayMs);
  const isLasting = authorization.challenges.some(
    ({ type, status }) => type === persistentType && status === 'valid',
  );
  if (isLasting || authorizationStatus(authorization) !== 'valid') return false;
  return authorization.expires.getTime() > now + leastMs;
}

/** A type that no client knows. */
const unknownType = 'x-unknown-01';

/** Wildcards can only be proved by DNS. The order means nothing, so it varies. */
function offered(wildcard: boolean, { persistentChallenges }: Settings): readonly string[] {
  const byDns = persistentChallenges ? ['dns-01', persistentType] : ['dns-01'];
  const types = wildcard ? [...byDns, unknownType] : [...byDns, 'http-01', 'tls-alpn-01', unknownType];
  const first = randomInt(types.length);
  return [...types.slice(first), ...types.slice(0, first)];
}

/** Once one challenge decided, the others are no longer shown. */
function visible(authorization: Authorization): readonly Challenge[] {
  const decided = authorization.challenges.filter(({ status }) => status === 'valid' || status === 'invalid');
  return decided.length > 0 ? decided : authorization.challenges;
}

function reuseKey({
  account,
  name,
  wildcard,
  profile,
}: Pick<Authorization, 'account' | 'name' | 'wildcard' | 'profile'>) {
  return `${account.id} ${profile ?? ''} ${wildcard ? '*.' : ''}${name}`;
}
