// Sends signed requests to a CA: reads its directory, reuses nonces, repeats what may be repeated.

import type { KeyObject } from 'node:crypto';
import HttpClient from 'acme-client/src/http.js';
import { once } from '../../async/promise-cache.ts';
import { AcmeError } from '../../ports/acme.ts';
import type { Clock } from '../../ports/clock.ts';
import { type AcmeDirectory, directorySchema } from './directory.ts';
import {
  type AcmeRequest,
  type AcmeResponse,
  defaultTimeouts,
  HttpConnections,
  type Timeouts,
} from './http.ts';
import { Nonces } from './nonces.ts';
import { Origins } from './origins.ts';
import { readProblem, readRetryAfter, refusal } from './problem.ts';

/** Most `badNonce` answers to one request. A CA that restarts forgets all its nonces, so several can
 *  follow. */
const maxBadNonces = 30;
/** Most times that one request is sent when the CA is unreachable or overloaded. */
const maxAttempts = 4;
/** Longest Retry-After that a request waits for. A longer one fails the request; the next run tries again. */
const maxRetryAfterMs = 10_000;

/** What signs a request (RFC 8555 §6.2). */
export interface Signature {
  readonly signer: HttpClient;
  /** URL of the account. Absent: the request carries the public key itself. */
  readonly kid?: string;
}

/** How a CA is reached. */
export interface TransportOptions {
  readonly clock: Clock;
  /** Default: `defaultTimeouts`. */
  readonly timeouts?: Timeouts | undefined;
  /** PEM trust anchors that replace those of the system. */
  readonly ca?: string | undefined;
}

/** One CA. The directory is read once; all requests share its connections and nonces. */
export class Transport {
  readonly #directoryUrl: string;
  readonly #connections: HttpConnections;
  readonly #clock: Clock;
  readonly #nonces: Nonces;
  /** Errors thrown after the last attempt. A POST that fails because its nonce could not be fetched is not
   *  repeated on top of the attempts for the nonce. */
  readonly #givenUp = new WeakSet<AcmeError>();
  readonly #directory = once((signal: AbortSignal) => this.#readDirectory(signal));

  constructor(directoryUrl: string, { clock, timeouts = defaultTimeouts, ca }: TransportOptions) {
    this.#directoryUrl = directoryUrl;
    this.#clock = clock;
    this.#nonces = new Nonces(() => clock.now().getTime());
    this.#connections = new HttpConnections(timeouts, ca);
  }

  /** The CA's directory, read at the first call. A failure is not remembered.
   *  @throws AcmeError `Unreachable`; `Problem`; `Malformed` if the URL does not answer with a directory. */
  directory(signal: AbortSignal): Promise<AcmeDirectory> {
    return this.#directory(signal);
  }

  async #readDirectory(signal: AbortSignal): Promise<AcmeDirectory> {
    const request = { method: 'GET', url: this.#directoryUrl } as const;
    const response = await this.#repeat(() => this.#connections.send(request, signal), 'repeatable', signal);
    const parsed = directorySchema(this.#directoryUrl).safeParse(response.data);
    if (!parsed.success)
      throw new AcmeError(
        'Malformed',
        `${this.#directoryUrl} does not answer with an ACME directory; check the directory of the issuer`,
      );
    return parsed.data;
  }

  /** The origins that requests may go to: the directory's own and those in it.
   *  @throws AcmeError as `directory`. */
  async origins(signal: AbortSignal): Promise<Origins> {
    const { newNonce, newAccount, newOrder, keyChange, revokeCert, renewalInfo } =
      await this.directory(signal);
    const urls = [newNonce, newAccount, newOrder, keyChange, revokeCert, renewalInfo];
    return new Origins(this.#directoryUrl, urls);
  }

  /** Sends every request except the directory's. A URL from the CA, a tag or a stored value is checked first:
   *  it must be of an origin in `origins`. */
  async #send(request: AcmeRequest, signal: AbortSignal): Promise<AcmeResponse> {
    (await this.origins(signal)).resolve(request.url, this.#directoryUrl);
    return this.#connections.send(request, signal);
  }

  /** An object that signs requests with an account key. */
  signer(key: KeyObject): HttpClient {
    return new HttpClient(this.#directoryUrl, key);
  }

  /** URL of a resource in the directory.
   *  @throws AcmeError `Unsupported` if the CA has no such resource; else as `directory`. */
  async urlOf(
    resource: 'newAccount' | 'newOrder' | 'keyChange' | 'revokeCert',
    signal: AbortSignal,
  ): Promise<string> {
    const url = (await this.directory(signal))[resource];
    if (url === undefined) throw new AcmeError('Unsupported', `the CA's directory offers no ${resource}`);
    return url;
  }

  /** Sends a signed request and returns its response. An `undefined` payload reads the URL (POST-as-GET,
   *  RFC 8555 §6.3). A read, or a POST of `{}`, is repeated after a lost answer or a temporary refusal;
   *  other requests only after a 503. Each is sent up to 4 times.
   *  @throws AcmeError `Problem` for a status of 400 or above; `Unreachable`; `Malformed`. */
  post(url: string, payload: object | undefined, by: Signature, signal: AbortSignal): Promise<AcmeResponse> {
    // A second read changes nothing, nor does a second "{}", which asks the CA to validate a challenge.
    const repeatable = payload === undefined || Object.keys(payload).length === 0;
    return this.#repeat(
      () => this.#post(url, payload, by, signal),
      repeatable ? 'repeatable' : 'once',
      signal,
    );
  }

  /** Sends one unsigned GET, never repeated, that takes at most `answerMs` milliseconds.
   *  @throws AcmeError `Problem` for a status of 400 or above; `Unreachable`; `Malformed`. */
  async get(url: string, answerMs: number, signal: AbortSignal): Promise<AcmeResponse> {
    const response = await this.#send({ method: 'GET', url, answerMs }, signal);
    if (response.status < 400) return response;
    throw this.#refusal(response);
  }

  /** Closes every connection; requests under way fail. */
  close(): Promise<void> {
    return this.#connections.close();
  }

  async #post(
    url: string,
    payload: object | undefined,
    { signer, kid }: Signature,
    signal: AbortSignal,
  ): Promise<AcmeResponse> {
    let nonce = await this.#takeNonce(signal);
    for (let badNonces = 0; ; badNonces += 1) {
      const startedAt = this.#clock.now().getTime();
      let response: AcmeResponse;
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

  /** Fetches a new nonce for a request that `Nonces.take` has let through. On failure, `Nonces.discard` lets
   *  another request through. */
  async #fetchNonce(signal: AbortSignal): Promise<string> {
    try {
      const { newNonce } = await this.directory(signal);
      const request = { method: 'HEAD', url: newNonce } as const;
      const response = await this.#repeat(() => this.#send(request, signal), 'repeatable', signal);
      const fresh = response.headers['replay-nonce'];
      if (!fresh)
        throw new AcmeError('Malformed', `the CA's newNonce answered ${response.status} without a nonce`);
      return fresh;
    } catch (error) {
      this.#nonces.discard();
      throw error;
    }
  }

  /** Sends a request up to `maxAttempts` times. After a 503 every request is repeated, because the CA did
   *  nothing. After a lost answer, another 5xx, or a 429 with Retry-After, only a `repeatable` request is: it
   *  changes nothing the second time. A Retry-After over `maxRetryAfterMs` ends the attempts. */
  async #repeat(
    send: () => Promise<AcmeResponse>,
    kind: 'repeatable' | 'once',
    signal: AbortSignal,
  ): Promise<AcmeResponse> {
    for (let attempt = 1; ; attempt += 1) {
      let waitMs = 250 * 2 ** attempt;
      try {
        const response = await send();
        if (response.status < 400) return response;
        const retryAfterMs = readRetryAfter(response.headers['retry-after'], this.#clock.now());
        const isTemporary = response.status >= 500 || (response.status === 429 && retryAfterMs !== undefined);
        const mayRepeat = response.status === 503 || (kind === 'repeatable' && isTemporary);
        waitMs = retryAfterMs ?? waitMs;
        if (!mayRepeat || waitMs > maxRetryAfterMs || attempt >= maxAttempts) throw this.#refusal(response);
      } catch (error) {
        const isLost = error instanceof AcmeError && error.code === 'Unreachable';
        if (!isLost || kind === 'once' || signal.aborted || this.#givenUp.has(error)) throw error;
        if (attempt >= maxAttempts) {
          this.#givenUp.add(error);
          throw error;
        }
      }
      await this.#clock.sleep(waitMs, signal);
    }
  }

  #refusal({ status, data, headers }: AcmeResponse): AcmeError {
    const retryAfterMs = readRetryAfter(headers['retry-after'], this.#clock.now());
    return refusal(new URL(this.#directoryUrl).host, status, data, retryAfterMs);
  }
}

function isBadNonce({ status, data }: AcmeResponse): boolean {
  return status === 400 && readProblem(data)?.type === 'badNonce';
}
