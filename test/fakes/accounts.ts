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
  update = async (directory: string, account: AcmeAccount) => void this.kept.set(directory, account);
  secretOf = (directory: string) => `certrelay/accounts/${new URL(directory).host}`;
}
