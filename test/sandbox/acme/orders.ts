// Orders from newOrder to the certificate (RFC 8555 §7.1.3, §7.4).
import * as z from 'zod';
import type { Account, Accounts } from './accounts.ts';
import { type Authorization, type Authorizations, authorizationStatus } from './authorizations.ts';
import type { Certificate, Certificates } from './certificates.ts';
import { readSigningRequest } from './csr.ts';
import { checkIdentifiers } from './identifiers.ts';
import { malformed, notFound, Problem, unauthorized } from './problem.ts';
import { expectEmpty, json, parsePayload, type Reply } from './reply.ts';
import type { Profile, Settings } from './settings.ts';
import type { Urls } from './urls.ts';

/** One order (RFC 8555 §7.1.3); its status is computed, never stored. */
export interface Order {
  readonly id: number;
  readonly account: Account;
  readonly names: readonly string[];
  readonly profile: string | undefined;
  readonly authorizations: readonly Authorization[];
  readonly expires: Date;
  /** Set by finalize: the order is `processing` until then, and until there is a certificate. */
  processingUntil?: number;
  certificate?: Certificate;
}

/** What a test sees of an order. */
export interface OrderLine {
  readonly names: readonly string[];
  readonly status: ReturnType<typeof orderStatus>;
}

const request = z.object({
  identifiers: z.array(z.object({ type: z.string(), value: z.string() })),
  notBefore: z.string().optional(),
  notAfter: z.string().optional(),
  profile: z.string().optional(),
  replaces: z.string().optional(),
});
const finalization = z.object({ csr: z.string().regex(/^[A-Za-z0-9_-]+$/) });

/** All orders of the CA. */
export class Orders {
  readonly #orders: Order[] = [];
  readonly #settings: Settings;
  readonly #urls: Urls;
  readonly #accounts: Accounts;
  readonly #authorizations: Authorizations;
  readonly #certificates: Certificates;

  constructor(parts: {
    readonly settings: Settings;
    readonly urls: Urls;
    readonly accounts: Accounts;
    readonly authorizations: Authorizations;
    readonly certificates: Certificates;
  }) {
    this.#settings = parts.settings;
    this.#urls = parts.urls;
    this.#accounts = parts.accounts;
    this.#authorizations = parts.authorizations;
    this.#certificates = parts.certificates;
  }

  /** newOrder: a new order, or the account's open one for the same names and profile where the settings say
   *  so. */
  create(account: Account, payload: Buffer): Reply {
    const asked = parsePayload(request, payload);
    if (asked.notBefore || asked.notAfter) throw malformed('notBefore and notAfter are not supported');
    const profile = this.#profileOf(asked.profile);
    const names = checkIdentifiers(asked.identifiers, {
      maxNames: profile.maxNames,
      rejected: this.#settings.rejectIdentifiers,
    });
    this.#refusePaused(names);
    const replaced =
      asked.replaces === undefined
        ? undefined
        : this.#certificates.checkReplacement(account, names, asked.replaces);
    const open = this.#settings.orderReuse ? this.#findOpen(account, names, asked.profile) : undefined;
    const order = open ?? this.#begin(account, names, asked.profile);
    if (replaced) replaced.replacement = () => orderStatus(order);
    return this.#show(order, 201);
  }

  /** Names and status of every order, oldest first. */
  list(): readonly OrderLine[] {
    return this.#orders.map((order) => ({ names: order.names, status: orderStatus(order) }));
  }

  read(account: Account, id: string, payload: Buffer): Reply {
    expectEmpty(payload);
    return this.#show(this.#find(account, id), 200);
  }

  /** finalize (RFC 8555 §7.4). A refused signing request leaves the order `ready`. */
  finalize(account: Account, id: string, payload: Buffer): Reply {
    const order = this.#find(account, id);
    const status = orderStatus(order);
    if (status !== 'ready') throw new Problem('orderNotReady', 403, `the order is "${status}", not "ready"`);
    const { csr } = parsePayload(finalization, payload);
    const signingRequest = readSigningRequest(Buffer.from(csr, 'base64url'));
    if (signingRequest.names.join() !== order.names.join()) {
      throw unauthorized(
        `the signing request holds ${signingRequest.names.join(', ')}, the order ${order.names.join(', ')}`,
      );
    }
    if (this.#accounts.hasKey(signingRequest.thumbprint)) {
      throw new Problem('badCSR', 400, 'the key of an account may not be in a certificate');
    }
    const { processingMs } = this.#settings;
    order.processingUntil = Date.now() + processingMs;
    const profile = this.#profileOf(order.profile);
    order.certificate = this.#certificates.issue(account, signingRequest, {
      lifetimeMs: this.#settings.lifetimeMs ?? profile.lifetimeMs,
      commonName: profile.commonName,
    });
    return this.#show(order, 200);
  }

  /** As Boulder: an order ends no later than its authorizations. */
  #begin(account: Account, names: readonly string[], asked: string | undefined): Order {
    const now = Date.now();
    const given = this.#profileOf(asked);
    const authorizations = names.map((name) =>
      this.#authorizations.obtain(account, name, { asked, given }, now),
    );
    const endMs = now + (this.#settings.orderLifetimeMs ?? given.orderLifetimeMs);
    const order: Order = {
      id: this.#orders.length + 1,
      account,
      names,
      profile: asked,
      expires: new Date(Math.min(endMs, ...authorizations.map(({ expires }) => expires.getTime()))),
      authorizations,
    };
    this.#orders.push(order);
    return order;
  }

  #findOpen(account: Account, names: readonly string[], profile: string | undefined): Order | undefined {
    return this.#orders.findLast(
      (order) =>
        order.account === account &&
        order.profile === profile &&
        order.names.join() === names.join() &&
        ['pending', 'ready'].includes(orderStatus(order)),
    );
  }

  #find(account: Account, id: string): Order {
    const order = this.#orders[Number(id) - 1];
    if (order?.account !== account) throw notFound('the account has no such order');
    return order;
  }

  #profileOf(name: string | undefined): Profile {
    const { profiles } = this.#settings;
    const profile =
      name === undefined ? Object.values(profiles)[0] : Object.hasOwn(profiles, name) && profiles[name];
    if (!profile) throw new Problem('invalidProfile', 400, `profile "${name}" is not offered by this CA`);
    return profile;
  }

  #show(order: Order, httpStatus: number): Reply {
    const status = orderStatus(order);
    const account = order.account.id;
    const body = {
      status,
      expires: order.expires.toISOString(),
      identifiers: order.names.map((value) => ({ type: 'dns', value })),
      authorizations: this.#settings.preauthorized === 'omitted' ? [] : this.#authorizationUrls(order),
      finalize: this.#urls.finalize(account, order.id),
      ...(order.profile !== undefined && { profile: order.profile }),
      ...(status === 'valid' &&
        order.certificate && { certificate: this.#urls.certificate(order.certificate.serial) }),
    };
    return json(httpStatus, body, {
      location: this.#urls.order(account, order.id),
      ...this.#retryAfter(order, status),
    });
  }

  #authorizationUrls({ account, authorizations }: Order): readonly string[] {
    return authorizations.map(({ id }) => this.#urls.authorization(account.id, id));
  }

  /** As Boulder: no Retry-After, and the page that ends the pause only in the text. */
  #refusePaused(names: readonly string[]): void {
    const paused = names.filter((name) => this.#settings.pausedNames.has(name.replace(/^\*\./, '')));
    if (paused.length === 0) return;
    const page = `${this.#urls.base}/unpause?jwt=${'eyJhbGciOiJIUzI1NiJ9.'.repeat(40)}`;
    const detail = `Orders for ${paused.join(', ')} and maybe others are paused for this account. To go on, visit: ${page}`;
    throw new Problem('rateLimited', 429, detail);
  }

  #retryAfter(order: Order, status: string): Record<string, string> {
    const { retryAfterSeconds } = this.#settings;
    if (status === 'processing') {
      const leftMs = (order.processingUntil ?? 0) - Date.now();
      return { 'retry-after': String(Math.max(1, Math.ceil(leftMs / 1000))) };
    }
    return status === 'pending' && retryAfterSeconds !== undefined
      ? { 'retry-after': String(retryAfterSeconds) }
      : {};
  }
}

/** The status now (RFC 8555 §7.1.6). A failed authorization makes the order `invalid`; the reason stays with
 *  its challenge, as at Boulder. */
export function orderStatus(order: Order): 'pending' | 'ready' | 'processing' | 'valid' | 'invalid' {
  if (order.processingUntil !== undefined) {
    return order.certificate && order.processingUntil <= Date.now() ? 'valid' : 'processing';
  }
  const statuses = order.authorizations.map(authorizationStatus);
  if (order.expires <= new Date() || statuses.some((one) => one !== 'pending' && one !== 'valid'))
    return 'invalid';
  return statuses.every((one) => one === 'valid') ? 'ready' : 'pending';
}
