// Exchanges an account's key (RFC 8555 §7.3.5), so that a crash at any step loses neither key nor account.
import type { KeyObject } from 'node:crypto';
import type { Account, AccountStore } from '../../ports/accounts.ts';
import { AcmeError } from '../../ports/acme.ts';
import { readAccountKey } from './account-key.ts';
import { findAccount, isProblem, makeAccountKey } from './registration.ts';
import type { Transport } from './transport.ts';

export interface RolloverOptions {
  readonly directory: string;
  readonly transport: Transport;
  readonly accounts: AccountStore;
}

/** Gives the account a new key, kept before the CA hears of it. A rollover that did not end is ended with the key it began
 *  with. Not to be done while orders are open: their TXT values belong to the old key.
 *  @throws AcmeError `Unsupported` where there is no account yet, or the CA does not exchange keys. */
export async function rollOver(options: RolloverOptions, signal: AbortSignal): Promise<Account> {
  const { directory, transport, accounts } = options;
  const account = await accounts.read(directory, signal);
  if (account?.url === undefined)
    throw new AcmeError('Unsupported', `there is no account at ${directory} yet; the first order makes one`);
  // Before anything is kept: a CA that cannot exchange keys must not find one half exchanged.
  await transport.urlOf('keyChange', signal);
  if (account.nextKey !== undefined) return finishRollover(account, options, signal);
  const begun = { ...account, nextKey: makeAccountKey() };
  await accounts.update(directory, begun, signal);
  return finishRollover(begun, options, signal);
}

/** Ends a rollover that was begun: asks the CA which of the two keys it knows, and for the exchange where that is still the
 *  old one. Nothing is done where none was begun. Gives an account without URL where the CA knows neither.
 *  @throws AcmeError; the same may then be called again. */
export async function finishRollover(
  account: Account,
  { directory, transport, accounts }: RolloverOptions,
  signal: AbortSignal,
): Promise<Account> {
  const { nextKey, ...before } = account;
  if (nextKey === undefined) return account;
  const key = readAccountKey(nextKey);
  const known = async () => (await findAccount(key, transport, signal)) !== undefined;
  let isForgotten = before.url === undefined;
  if (before.url !== undefined && !(await known())) {
    try {
      await changeKey(readAccountKey(before.key), key, before.url, transport, signal);
    } catch (error) {
      isForgotten = isProblem(error, 'accountDoesNotExist');
      // Lost answers, and another run that was faster: only the CA can tell.
      if (!isForgotten && !(await known())) throw error;
    }
  }
  const after: Account = { ...before, key: nextKey, url: isForgotten ? undefined : before.url };
  await accounts.update(directory, after, signal);
  return after;
}

/** keyChange: the new key signs that it takes over from the old one, and the old one signs that. */
async function changeKey(
  oldKey: KeyObject,
  newKey: KeyObject,
  accountUrl: string,
  transport: Transport,
  signal: AbortSignal,
): Promise<void> {
  const signer = transport.signer(oldKey);
  const url = await transport.urlOf('keyChange', signal);
  const takeover = { account: accountUrl, oldKey: signer.getJwk() };
  // Without a nonce, which only the outer signature has.
  const inner = transport.signer(newKey).createSignedBody(url, takeover, { nonce: '', kid: null });
  await transport.post(url, inner, { signer, kid: accountUrl }, signal);
}
