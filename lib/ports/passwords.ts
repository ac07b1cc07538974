// Passwords of keystores, from the AWS secrets that targets name.
import { shortestPassword } from '../certificate/keystore.ts';
import type { SecretTarget } from '../certificate/spec.ts';
import { type ReadText, StoreError } from './store.ts';

/** The password of the target's keystore, without the line end that editors leave; `undefined` where it has
 *  none.
 *  @throws StoreError where the AWS secret cannot be read, or is empty. */
export async function readPassword(
  { password }: Pick<SecretTarget, 'password'>,
  readText: ReadText,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (password === undefined) return undefined;
  const text = (await readText(password.secret, signal)).replace(/\r?\n$/, '');
  if (text !== '') return text;
  throw new StoreError(
    'Failed',
    `the AWS secret ${password.secret} is empty: put the keystore's password there`,
  );
}

/** That the password of the target's keystore can be guessed, and what to do; `undefined` where it is long
 *  enough, or there is none. A Secret that exists is kept up to date all the same; a new one is not made. */
export function describeWeakness(
  { password: named }: Pick<SecretTarget, 'password'>,
  password: string | undefined,
): string | undefined {
  if (named === undefined || password === undefined) return undefined;
  const { length } = Array.from(password);
  if (length >= shortestPassword) return undefined;
  return `the keystore's password in the AWS secret ${named.secret} has ${length} characters and can be guessed: put one of ${shortestPassword} or more there; no new Secret is made with this one`;
}
