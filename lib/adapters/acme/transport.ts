// The one way to a CA: signed requests over few connections, with nonces handed on, timeouts and coded errors.
import type { KeyObject } from 'node:crypto';
import HttpClient from 'acme-client/src/http.js';
import * as z from 'zod';
import { AcmeError } from '../../ports/acme.ts';
import type { Clock } from '../../ports/clock.ts';
import { type AcmeMessage, type Answer, defaultTimeouts, Exchange, type Timeouts } from './exchange.ts';
import { Nonces } from './nonces.ts';
import { Origins } from './origins.ts';
import { readProblem, readRetryAfter, refusal } from './problem.ts';

/** A CA that restarts forgets every nonce it gave out, so one request may meet many in a row. */
const maxBadNonces = 30;
const maxAttempts = 4;
/** A wait that the CA asks for and that is longer is left to the next run. */
const maxRetryAfterMs = 10_000;

/** Relative references are resolved against `base`, the URL of the directory. */
function directorySchema(base: string) {
  const link = z.string().transform((text, context) => {
    const url = URL.canParse(text) ? text : URL.parse(text, base)?.href;
    if (url !== undefined) return url;
    context.addIssue({ code: 'custom', message: 'is no URL' });
    return z.NEVER;
  });
  return z.looseObject({
    newNonce: link,
    newAccount: link,
    newOrder: link,
    keyChange: link.optional().catch(undefined),
    revokeCert: link.optional().catch(undefined),
    renewalInfo: link.optional().catch(undefined),
    meta: z
      .looseObject({
        termsOfService: z.string().optional(),
        externalAccountRequired: z.boolean().optional(),
        profiles: z.record(z.string(), z.string()).optional(),
        caaIdentities: z.array(z.string().max(253)).max(20).optional().catch(undefined),
      })
      .optional(),
  });
}

/** RFC 8555 §7.1.1; every URL is absolute. */
export type AcmeDirectory = z.infer<ReturnType<typeof directorySchema>>;

/** Who signs: with the account's URL, or without one with the key itself in the request (RFC 8555 §6.2). */
export interface Signature {
  readonly signer: HttpClient;
  readonly kid?: string;
}

/** How a CA is reached. */
export interface TransportOptions {
  readonly clock: Clock;
  readonly timeouts?: Timeouts | undefined;
  /** PEM trust anchors instead of the system's. */
  readonly ca?: string | undefined;
}

/** One CA: its directory is read once, its connections and nonces are shared by all that talk to it. */
export class Transport {
  readonly #directoryUrl: string;
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly #nonces: Nonces;
  /** What was repeated as often as may be: a request that fails because its nonce could not be had is not repeated too. */
  readonly #givenUp = new WeakSet<AcmeError>();
  #directory: Promise<AcmeDirectory> | undefined;

  constructor(directoryUrl: string, { clock, timeouts = defaultTimeouts, ca }: TransportOptions) {
    this.#directoryUrl = directoryUrl;
    this.#clock = clock;
    this.#nonces = new Nonces(() => clock.now().getTime());
    this.#exchange = new Exchange(timeouts, ca);
  }

  /** @throws AcmeError `Unreachable`, `Problem`, or `Malformed` where the URL is no ACME directory. */
  directory(signal: AbortSignal): Promise<AcmeDirectory> {
    this.#directory ??= this.#readDirectory(signal).catch((error: unknown) => {
      this.#directory = undefined;
      throw error;
    });
    return this.#directory;
  }

  async #readDirectory(signal: AbortSignal): Promise<AcmeDirectory> {
    const message = { method: 'GET', url: this.#directoryUrl } as const;
    const response = await this.#repeat(() => this.#exchange.send(message, signal), true, signal);
    const parsed = directorySchema(this.#directoryUrl).safeParse(response.data);
    if (!parsed.success)
      throw new AcmeError('Malformed', `${this.#directoryUrl} does not answer with an ACME directory`);
    return parsed.data;
  }

  /** Where this CA may send us: the origins that its directory is on or names. @throws AcmeError as `directory`. */
  async origins(signal: AbortSignal): Promise<Origins> {
    const { newNonce, newAccount, newOrder, keyChange, revokeCert, renewalInfo } =
      await this.directory(signal);
    const named = [newNonce, newAccount, newOrder, keyChange, revokeCert, renewalInfo];
    return new Origins(this.#directoryUrl, named);
  }

  /** Every request but the directory's: whatever the CA, a tag or a stored value names, it goes to no other origin. */
  async #send(message: AcmeMessage, signal: AbortSignal): Promise<Answer> {
    (await this.origins(signal)).resolve(message.url, this.#directoryUrl);
    return this.#exchange.send(message, signal);
  }

  /** Signs for one account key. */
  signer(key: KeyObject): HttpClient {
    return new HttpClient(this.#directoryUrl, key);
  }

  /** Where something new is asked for. @throws AcmeError `Unsupported` where the CA has no such resource. */
  async urlOf(
    resource: 'newAccount' | 'newOrder' | 'keyChange' | 'revokeCert',
    signal: AbortSignal,
  ): Promise<string> {
    const url = (await this.directory(signal))[resource];
    if (url === undefined) throw new AcmeError('Unsupported', `the CA's directory offers no ${resource}`);
    return url;
  }

  /** A signed request; without payload it reads (POST-as-GET, RFC 8555 §6.3). @throws AcmeError */
  post(url: string, payload: object | undefined, by: Signature, signal: AbortSignal): Promise<Answer> {
    // Reads, and telling the CA again that a challenge may be validated, change nothing when repeated.
    const repeatable = payload === undefined || Object.keys(payload).length === 0;
    return this.#repeat(() => this.#post(url, payload, by, signal), repeatable, signal);
  }

  /** One unsigned GET, not repeated, for what can do without an answer. It takes `answerMs` at most.
   *  @throws AcmeError */
  async get(url: string, answerMs: number, signal: AbortSignal): Promise<Answer> {
    const response = await this.#send({ method: 'GET', url, answerMs }, signal);
    if (response.status < 400) return response;
    throw this.#refusal(response);
  }

  close(): Promise<void> {
    return this.#exchange.close();
  }

  async #post(
    url: string,
    payload: object | undefined,
    { signer, kid }: Signature,
    signal: AbortSignal,
  ): Promise<Answer> {
    let nonce = await this.#takeNonce(signal);
    for (let badNonces = 0; ; badNonces += 1) {
      const startedAt = this.#clock.now().getTime();
      let response: Answer;
      try {
        const signed = signer.createSignedBody(url, payload ?? null, { nonce, kid: kid ?? null });
        const body = JSON.stringify(signed);
        response = await this.#send({ method: 'POST', url, body }, signal);
      } catch (error) {
        this.#nonces.discard();
        throw error;
      }
      const fresh = response.headers['replay-nonce'];
      if (isBadNonce(response) && badNonces < maxBadNonces) {
        nonce = fresh ?? (await this.#fetchNonce(signal));
        continue;
      }
      if (fresh) this.#nonces.give(fresh, this.#clock.now().getTime() - startedAt);
      else this.#nonces.discard();
      return response;
    }
  }

  async #takeNonce(signal: AbortSignal): Promise<string> {
    return (await this.#nonces.take(signal)) ?? this.#fetchNonce(signal);
  }

  /** A new nonce for a request that holds the licence to one; where that fails the licence goes to somebody else. */
  async #fetchNonce(signal: AbortSignal): Promise<string> {
    try {
      const { newNonce } = await this.directory(signal);
      const message = { method: 'HEAD', url: newNonce } as const;
      const response = await this.#repeat(() => this.#send(message, signal), true, signal);
      const fresh = response.headers['replay-nonce'];
      if (!fresh)
        throw new AcmeError('Malformed', `the CA's newNonce answered ${response.status} without a nonce`);
      return fresh;
    } catch (error) {
      this.#nonces.discard();
      throw error;
    }
  }

  /** Sends again what may be sent again: after 503 anything, for the CA carried nothing out; after a lost answer, another
   *  5xx, or a 429 that says for how long, only what changes nothing when repeated; after a long Retry-After nothing. */
  async #repeat(send: () => Promise<Answer>, repeatable: boolean, signal: AbortSignal): Promise<Answer> {
    for (let attempt = 1; ; attempt += 1) {
      let waitMs = 250 * 2 ** attempt;
      try {
        const response = await send();
        if (response.status < 400) return response;
        const retryAfterMs = readRetryAfter(response.headers['retry-after'], this.#clock.now());
        const passes = response.status >= 500 || (response.status === 429 && retryAfterMs !== undefined);
        const mayPass = response.status === 503 || (repeatable && passes);
        waitMs = retryAfterMs ?? waitMs;
        if (!mayPass || waitMs > maxRetryAfterMs || attempt >= maxAttempts) throw this.#refusal(response);
      } catch (error) {
        const lost = error instanceof AcmeError && error.code === 'Unreachable';
        if (!lost || !repeatable || signal.aborted || this.#givenUp.has(error)) throw error;
        if (attempt >= maxAttempts) {
          this.#givenUp.add(error);
          throw error;
        }
      }
      await this.#clock.sleep(waitMs, signal);
    }
  }

  #refusal({ status, data, headers }: Answer): AcmeError {
    const retryAfterMs = readRetryAfter(headers['retry-after'], this.#clock.now());
    return refusal(new URL(this.#directoryUrl).host, status, data, retryAfterMs);
  }
}

function isBadNonce({ status, data }: Answer): boolean {
  return status === 400 && readProblem(data)?.type === 'badNonce';
}
