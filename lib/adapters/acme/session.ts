// Sends one account's signed requests, and registers the account again if the CA has forgotten it.

import type { KeyObject } from 'node:crypto';
import type HttpClient from 'acme-client/src/http.js';
import { once } from '../../async/promise-cache.ts';
import type { AcmeResponse } from './http.ts';
import { explainRefusal, isProblem, type Registrant } from './registration.ts';

/** What a session needs besides the account's URL. */
export interface SessionOptions {
  readonly registrant: Registrant;
  readonly key: KeyObject;
  /** Registers the key again, stores the account's new URL and returns it. */
  readonly registerAgain: (signal: AbortSignal) => Promise<string>;
}

/** One account at one CA. */
export class Session {
  readonly signer: HttpClient;
  readonly #options: SessionOptions;
  #accountUrl: string;
  readonly #registerAgain = once((signal: AbortSignal) => this.#options.registerAgain(signal));

  constructor(accountUrl: string, options: SessionOptions) {
    this.#accountUrl = accountUrl;
    this.#options = options;
    this.signer = options.registrant.transport.signer(options.key);
  }

  /** URL of the account, the `kid` of its requests. It changes when the account is registered again. */
  get accountUrl(): string {
    return this.#accountUrl;
  }

  /** Sends a request signed by the account. An `undefined` payload reads the URL. If the CA answers
   *  `accountDoesNotExist`, the key is registered again (RFC 8555 §7.3), once for all requests, and the
   *  request is repeated.
   *  @throws AcmeError as `Transport.post`; if the CA has closed the account, the message says what to do. */
  post(url: string, payload: object | undefined, signal: AbortSignal): Promise<AcmeResponse> {
    return this.#asAccount((kid) => this.#send(url, payload, kid, signal), signal);
  }

  /** Updates members of the account object, e.g. `contact` (RFC 8555 §7.3.2).
   *  @throws AcmeError as `post`. */
  change(members: object, signal: AbortSignal): Promise<AcmeResponse> {
    return this.#asAccount((kid) => this.#send(kid, members, kid, signal), signal);
  }

  #send(url: string, payload: object | undefined, kid: string, signal: AbortSignal): Promise<AcmeResponse> {
    return this.#options.registrant.transport.post(url, payload, { signer: this.signer, kid }, signal);
  }

  async #asAccount(send: (kid: string) => Promise<AcmeResponse>, signal: AbortSignal): Promise<AcmeResponse> {
    const kid = this.#accountUrl;
    try {
      return await send(kid);
    } catch (error) {
      if (isProblem(error, 'unauthorized')) {
        throw await explainRefusal(error, this.#options.key, this.#options.registrant, signal);
      }
      if (!isProblem(error, 'accountDoesNotExist')) throw error;
      // Another request may have registered the account again meanwhile.
      if (kid === this.#accountUrl) this.#accountUrl = await this.#registerAgain(signal);
      return send(this.#accountUrl);
    }
  }
}
