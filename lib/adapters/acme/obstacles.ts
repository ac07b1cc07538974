// Finds what every order at a CA would fail for, without ordering or registering anything.
import type { AccountStore } from '../../ports/accounts.ts';
import { AcmeError, type FindObstacle } from '../../ports/acme.ts';
import { describeError } from '../../ports/errors.ts';
import { readAccountKey } from './account-key.ts';
import { requireProfile } from './authority.ts';
import { explainRefusal, findAccount, type Registrant, readBinding } from './registration.ts';

/** Why the CA would refuse the order: it does not answer, has no such profile, asks for an external account
 *  binding that is not there, or has closed the account. `undefined` if nothing of that is known. An account
 *  that is stored is asked for by its key, which registers nothing.
 *  @throws StoreError if the stored account cannot be read. */
export async function findObstacle(
  order: Parameters<FindObstacle>[1],
  registrant: Registrant & { readonly accounts: AccountStore },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { issuer, transport, accounts } = registrant;
  try {
    const { meta } = await transport.directory(signal);
    await requireProfile(order, registrant, signal);
    const stored = await accounts.read(issuer.directory, signal);
    const hasAccount = stored ? await isKnown(stored.key, registrant, signal) : false;
    if (!hasAccount) await readBinding(registrant, meta?.externalAccountRequired ?? false, signal);
    return undefined;
  } catch (error) {
    if (error instanceof AcmeError) return describeError(error);
    throw error;
  }
}

/** Whether the CA has an account for the key. @throws AcmeError if it has closed that account. */
async function isKnown(pem: string, registrant: Registrant, signal: AbortSignal): Promise<boolean> {
  const key = readAccountKey(pem);
  try {
    return (await findAccount(key, registrant.transport, signal)) !== undefined;
  } catch (error) {
    throw error instanceof AcmeError ? await explainRefusal(error, key, registrant, signal) : error;
  }
}
