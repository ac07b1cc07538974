// Types for the file of acme-client that is imported directly: the package has types only for its root.

declare module 'acme-client/src/http.js' {
  import type { KeyObject } from 'node:crypto';

  /** A JWS in flattened JSON (RFC 8555 §6.2). */
  export interface SignedBody {
    readonly protected: string;
    readonly payload: string;
    readonly signature: string;
  }
  /** Signs requests with an account key; here it sends none. */
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
