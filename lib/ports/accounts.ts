// The socket between the ACME adapter and the store of its accounts; each comment is part of the contract.

/** One ACME account: private key (PKCS#8 PEM) and, once the CA knows it, its URL. */
export interface AcmeAccount {
  readonly key: string;
  readonly url?: string | undefined;
  /** Contact the CA was last told. */
  readonly contact: readonly string[];
  /** PKCS#8 PEM of the key that is to take the place of `key`: the CA may or may not know it yet (RFC 8555
   *  §7.3.5). */
  readonly nextKey?: string | undefined;
}

/** ACME accounts in AWS Secrets Manager, one per directory URL. */
export interface AccountStore {
  read(directory: string, signal: AbortSignal): Promise<AcmeAccount | undefined>;
  /** Keeps a new account; where one is there already, gives that one instead. */
  create(directory: string, account: AcmeAccount, signal: AbortSignal): Promise<AcmeAccount>;
  update(directory: string, account: AcmeAccount, signal: AbortSignal): Promise<void>;
  /** Name of the AWS secret that holds the account, for a person who must act on it. */
  secretOf(directory: string): string;
}
