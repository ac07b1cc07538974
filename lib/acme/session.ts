// One account's calls to its CA: signed, and mended once where the CA has forgotten the account.
import type { KeyObject } from 'node:crypto';
import AcmeApi from 'acme-client/src/api.js';
import type HttpClient from 'acme-client/src/http.js';
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

  /** Asks something in the account's name. Where the CA does not know the account it is registered again with the same key,
   *  once for all calls together, and the same is asked again (RFC 8555 §7.3).
   *  @throws AcmeError; where the CA has closed the account, one that says what a person must do. */
  async call<T>(ask: (api: AcmeApi) => Promise<T>, signal: AbortSignal): Promise<T> {
    const accountUrl = this.#accountUrl;
    try {
      return await ask(this.#api(accountUrl, signal));
    } catch (error) {
      if (isProblem(error, 'unauthorized')) {
        throw await explainRefusal(error, this.#options.key, this.#options.registrant, signal);
      }
      if (!isProblem(error, 'accountDoesNotExist')) throw error;
      // The call of another request may have mended it meanwhile.
      if (accountUrl === this.#accountUrl) {
        this.#mending ??= this.#options.registerAgain(signal).catch((failure: unknown) => {
          this.#mending = undefined;
          throw failure;
        });
        this.#accountUrl = await this.#mending;
      }
      return ask(this.#api(this.#accountUrl, signal));
    }
  }

  #api(accountUrl: string, signal: AbortSignal): AcmeApi {
    return new AcmeApi(this.#options.registrant.transport.signed(this.signer, signal), accountUrl);
  }
}
