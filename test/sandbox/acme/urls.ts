// Where each resource of the CA is: the directory's entries and the paths below them (RFC 8555 §7.1).

/** Every kind of call, by the specification's term. */
export type Action =
  | 'directory'
  | 'newNonce'
  | 'newAccount'
  | 'account'
  | 'keyChange'
  | 'newOrder'
  | 'order'
  | 'authorization'
  | 'challenge'
  | 'finalize'
  | 'certificate'
  | 'revokeCert'
  | 'renewalInfo';

const patterns: readonly (readonly [Action, RegExp])[] = [
  ['directory', /^\/directory$/],
  ['newNonce', /^\/acme\/new-nonce$/],
  ['newAccount', /^\/acme\/new-acct$/],
  ['account', /^\/acme\/acct\/(\d+)$/],
  ['keyChange', /^\/acme\/key-change$/],
  ['newOrder', /^\/acme\/new-order$/],
  ['order', /^\/acme\/order\/\d+\/(\d+)$/],
  ['authorization', /^\/acme\/authz\/\d+\/(\d+)$/],
  ['challenge', /^\/acme\/chall\/\d+\/(\d+)\/([\w-]+)$/],
  ['finalize', /^\/acme\/finalize\/\d+\/(\d+)$/],
  ['certificate', /^\/acme\/cert\/([0-9a-f]+)(?:\/(\d+))?$/],
  ['revokeCert', /^\/acme\/revoke-cert$/],
  ['renewalInfo', /^\/acme\/renewal-info\/([\w.-]+)$/],
];

/** The call that a path is for, with the ids in the path; `undefined` where there is no such resource. */
export function matchPath(
  path: string,
): { readonly action: Action; readonly ids: readonly string[] } | undefined {
  for (const [action, pattern] of patterns) {
    const match = pattern.exec(path);
    if (match) return { action, ids: match.slice(1).filter((id) => id !== undefined) };
  }
  return undefined;
}

/** Makes the URLs that answers name. */
export class Urls {
  /** `https://host:port`; known only once the server listens. */
  base = '';

  get directory(): string {
    return `${this.base}/directory`;
  }

  /** With what the hashed URI of an account begins (draft-ietf-acme-dns-persist-02). */
  get accountHashPrefix(): string {
    return `${this.base}/account-hash/`;
  }

  /** The directory's members, save `meta`. */
  entries(): Record<string, string> {
    return {
      newNonce: `${this.base}/acme/new-nonce`,
      newAccount: this.newAccount,
      newOrder: `${this.base}/acme/new-order`,
      keyChange: this.keyChange,
      revokeCert: `${this.base}/acme/revoke-cert`,
      renewalInfo: `${this.base}/acme/renewal-info`,
    };
  }

  get newAccount(): string {
    return `${this.base}/acme/new-acct`;
  }

  get keyChange(): string {
    return `${this.base}/acme/key-change`;
  }

  account(id: number | ''): string {
    return `${this.base}/acme/acct/${id}`;
  }

  order(account: number, id: number): string {
    return `${this.base}/acme/order/${account}/${id}`;
  }

  finalize(account: number, id: number): string {
    return `${this.base}/acme/finalize/${account}/${id}`;
  }

  authorization(account: number, id: number): string {
    return `${this.base}/acme/authz/${account}/${id}`;
  }

  challenge(account: number, authorization: number, id: string): string {
    return `${this.base}/acme/chall/${account}/${authorization}/${id}`;
  }

  /** `chain`: which of the alternate chains; absent for the default one. */
  certificate(serial: string, chain?: number): string {
    return `${this.base}/acme/cert/${serial}${chain === undefined ? '' : `/${chain}`}`;
  }
}
