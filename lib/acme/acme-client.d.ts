// Types of the parts of acme-client that are imported by file: the package types only its root.

declare module 'acme-client/src/http.js' {
  import type { KeyObject } from 'node:crypto';

  export interface SignedBody {
    readonly protected: string;
    readonly payload: string;
    readonly signature: string;
  }
  export default class HttpClient {
    constructor(directoryUrl: string, accountKey: KeyObject, externalAccountBinding?: object);
    getJwk(): Record<string, string>;
    createSignedBody(
      url: string,
      payload: object | null,
      header: { nonce: string; kid: string | null },
    ): SignedBody;
  }
}

declare module 'acme-client/src/api.js' {
  export interface Response {
    readonly status: number;
    readonly headers: Readonly<Record<string, string | undefined>>;
    readonly data: unknown;
  }
  /** What the API asks of its HTTP client. */
  export interface SignedRequests {
    getResourceUrl(resource: string): Promise<string>;
    signedRequest(url: string, payload: object | null, options: { kid: string | null }): Promise<Response>;
  }
  export default class AcmeApi {
    constructor(http: SignedRequests, accountUrl?: string | null);
    createAccount(body: object): Promise<Response>;
    updateAccount(body: object): Promise<Response>;
    createOrder(body: object): Promise<Response>;
    getOrder(url: string): Promise<Response>;
    finalizeOrder(url: string, body: object): Promise<Response>;
    getAuthorization(url: string): Promise<Response>;
    completeChallenge(url: string, body: object): Promise<Response>;
    apiRequest(url: string, payload: object | null, validStatusCodes?: number[]): Promise<Response>;
  }
}
