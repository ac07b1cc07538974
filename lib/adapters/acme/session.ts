// One account's calls to its CA: signed, and mended once where the CA has forgotten the account.
import type { KeyObject } from 'node:crypto';
import type HttpClient from 'acme-client/src/http.js';
import type { Answer } from './exchange.ts';
import { explainRefusal, isProblem, type Registrant } from './registration.ts';

export interface SessionOptions {
  readonly registrant: Registrant;
  readonly key: KeyObject;
  /** Registers the key again and keeps the URL. */
  readonly registerAgain: (signal: AbortSignal) => Promise<string>;
}

export class Session {
  readonly signer: HttpClient;
  readonly #options: SessionOptions;
  #accountUrl: string;
  #mending: Promise<string> | undefined;

  constructor(accountUrl: string, options: SessionOptions) {
    this.#accountUrl = accountUrl;
    this.#options = options;
    this.signer = options.registrant.transport.signer(options.key);
  }

  /** The account's `kid`; another one after the CA had forgotten the account. */
  get accountUrl(): string {
    return this.#accountUrl;
  }

  /** A request in the account's name; without payload it reads. Where the CA does not know the account it is registered
   *  again with the same key, once for all requests together, and the same is asked again (RFC 8555 §7.3).
   *  @throws AcmeError; where the CA has closed the account, one that says what a person must do. */
  post(url: string, payload: object | undefined, signal: AbortSignal): Promise<Answer> {
    return this.#asAccount((kid) => this.#send(url, payload, kid, signal), signal);
  }

  /** Changes the account itself (RFC 8555 §7.3.2). @throws AcmeError, as `post`. */
  change(members: object, signal: AbortSignal): Promise<Answer> {
    return this.#asAccount((kid) => this.#send(kid, members, kid, signal), signal);
  }

  #send(url: string, payload: object | undefined, kid: string, signal: AbortSignal): Promise<Answer> {
    return this.#options.registrant.transport.post(url, payload, { signer: this.signer, kid }, signal);
  }

  async #asAccount(ask: (kid: string) => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    const kid = this.#accountUrl;
    try {
      return await ask(kid);
    } catch (error) {
      if (isProblem(error, 'unauthorized')) {
        throw await explainRefusal(error, this.#options.key, this.#options.registrant, signal);
      }
      if (!isProblem(error, 'accountDoesNotExist')) throw error;
      // Another request may have mended it meanwhile.
      if (kid === this.#accountUrl) this.#accountUrl = await this.#registerAgain(signal);
      return ask(this.#accountUrl);
    }
  }

  #registerAgain(signal: AbortSignal): Promise<string> {
    this.#mending ??= this.#options.registerAgain(signal).catch((failure: unknown) => {
      this.#mending = undefined;
      throw failure;
    });
    return this.#mending;
  }
}
