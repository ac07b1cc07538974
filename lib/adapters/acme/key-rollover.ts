// Exchanges an account's key (keyChange, RFC 8555 §7.3.5). A crash at any step loses neither key nor
// account.
import type { KeyObject } from 'node:crypto';
import type { AccountStore, AcmeAccount } from '../../ports/accounts.ts';
import { AcmeError } from '../../ports/acme.ts';
import { readAccountKey } from './account-key.ts';
import { findAccount, isProblem, makeAccountKey } from './registration.ts';
import type { Transport } from './transport.ts';

/** The CA and the store of the account whose key is exchanged. */
export interface RolloverOptions {
  readonly directory: string;
  readonly transport: Transport;
  readonly accounts: AccountStore;
}

/** Gives the account at a CA a new key and returns it as stored. The new key is stored before it is sent to
 *  the CA. An interrupted exchange is finished with the key that it began with. Call it only while no order
 *  is open: the TXT values of an open order belong to the old key.
 *  @throws AcmeError `Unsupported` if there is no account yet, or the CA does not exchange keys. */
export async function rollOver(options: RolloverOptions, signal: AbortSignal): Promise<AcmeAccount> {
  const { directory, accounts } = options;
  const account = await readExchangeable(options, signal);
  if (account.nextKey !== undefined) return finishRollover(account, options, signal);
  const withNextKey = { ...account, nextKey: makeAccountKey() };
  const begun = await accounts.beginExchange(directory, withNextKey, signal);
  return finishRollover(begun, options, signal);
}

/** The stored account of which the key can be exchanged.
 *  @throws AcmeError `Unsupported` if there is no account yet, or the CA does not exchange keys. */
export async function readExchangeable(
  { directory, transport, accounts }: RolloverOptions,
  signal: AbortSignal,
): Promise<AcmeAccount> {
  const account = await accounts.read(directory, signal);
  if (account?.url === undefined)
    throw new AcmeError(
      'Unsupported',
      `there is no account at ${directory} yet; the first order registers one, with a new key`,
    );
  // Checked before anything is stored, so that no exchange begins at a CA that cannot finish it.
  await transport.urlOf('keyChange', signal);
  return account;
}

/** Finishes the exchange of an account that has a `nextKey`, and returns the account as stored. Asks the CA
 *  whether it knows the new key, and exchanges the keys if it does not. The account has no URL if the CA
 *  knows neither key. An account without `nextKey` is returned unchanged.
 *  @throws AcmeError; the call may then be repeated. */
export async function finishRollover(
  account: AcmeAccount,
  { directory, transport, accounts }: RolloverOptions,
  signal: AbortSignal,
): Promise<AcmeAccount> {
  const { nextKey, ...before } = account;
  if (nextKey === undefined) return account;
  const key = readAccountKey(nextKey);
  const isKnown = async () => (await findAccount(key, transport, signal)) !== undefined;
  let isForgotten = before.url === undefined;
  if (before.url !== undefined && !(await isKnown())) {
    try {
      await changeKey(
        { oldKey: readAccountKey(before.key), newKey: key, accountUrl: before.url },
        transport,
        signal,
      );
    } catch (error) {
      isForgotten = isProblem(error, 'accountDoesNotExist');
      // The answer may be lost, or another run may have been faster, so only the CA knows which key holds.
      if (!isForgotten && !(await isKnown())) throw error;
    }
  }
  const after: AcmeAccount = { ...before, key: nextKey, url: isForgotten ? undefined : before.url };
  await accounts.update(directory, after, signal);
  return after;
}

/** Sends keyChange: the new key signs the exchange, and the old key signs the request that carries it. */
async function changeKey(
  change: { readonly oldKey: KeyObject; readonly newKey: KeyObject; readonly accountUrl: string },
  transport: Transport,
  signal: AbortSignal,
): Promise<void> {
  const { oldKey, newKey, accountUrl } = change;
  const signer = transport.signer(oldKey);
  const url = await transport.urlOf('keyChange', signal);
  const payload = { account: accountUrl, oldKey: signer.getJwk() };
  // Only the outer signature has a nonce.
  const inner = transport.signer(newKey).createSignedBody(url, payload, { nonce: '', kid: null });
  await transport.post(url, inner, { signer, kid: accountUrl }, signal);
}
