// The store of ACME accounts in memory.
import type { AccountStore, AcmeAccount } from '../../lib/ports/accounts.ts';

/** Accounts by directory; like the real store it keeps the account that was there first. */
export class MemoryAccounts implements AccountStore {
  readonly kept = new Map<string, AcmeAccount>();
  read = async (directory: string) => this.kept.get(directory);
  create = async (directory: string, account: AcmeAccount) => {
    const kept = this.kept.get(directory) ?? account;
    this.kept.set(directory, kept);
    return kept;
  };
  /** By the key that is exchanged. */
  readonly #begun = new Map<string, AcmeAccount>();
  beginExchange = async (
    directory: string,
    account: AcmeAccount & { readonly nextKey: string },
    signal: AbortSignal,
  ): Promise<AcmeAccount> => {
    const begun = this.#begun.get(directory + account.key);
    if (begun) return begun;
    await this.update(directory, account, signal);
    this.#begun.set(directory + account.key, account);
    return account;
  };
  update = async (directory: string, account: AcmeAccount, _signal?: AbortSignal) =>
    void this.kept.set(directory, account);
  secretOf = (directory: string) => `certrelay/accounts/${new URL(directory).host}`;
}
