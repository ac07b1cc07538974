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
