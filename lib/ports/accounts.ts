// Port to the stored ACME accounts. Each comment is part of the contract.

/** One ACME account as stored. */
export interface AcmeAccount {
  /** Private key as PKCS#8 PEM. */
  readonly key: string;
  /** URL of the account at the CA; absent until it is registered. */
  readonly url?: string | undefined;
  /** Contact as last sent to the CA. */
  readonly contact: readonly string[];
  /** PKCS#8 PEM of the key that will replace `key`, while an exchange of keys is under way (RFC 8555
   *  §7.3.5). The CA may know it already. */
  readonly nextKey?: string | undefined;
}

/** ACME accounts in AWS Secrets Manager, one for each directory URL. Every method rejects with a
 *  StoreError. */
export interface AccountStore {
  /** The account for a directory URL; `undefined` if there is none. */
  read(directory: string, signal: AbortSignal): Promise<AcmeAccount | undefined>;
  /** Stores a new account and returns it. If the directory has one already, changes nothing and returns that
   *  one. */
  create(directory: string, account: AcmeAccount, signal: AbortSignal): Promise<AcmeAccount>;
  /** Stores an account whose exchange of keys begins (`nextKey`), and returns it. If one has begun for the
   *  same `key` before, whatever became of it, changes nothing and returns the account as that one stored
   *  it: of two runs side by side no key is lost. */
  beginExchange(
    directory: string,
    account: AcmeAccount & { readonly nextKey: string },
    signal: AbortSignal,
  ): Promise<AcmeAccount>;
  /** Replaces the stored account. */
  update(directory: string, account: AcmeAccount, signal: AbortSignal): Promise<void>;
  /** Name of the AWS secret with the account, for messages to people. */
  secretOf(directory: string): string;
}
