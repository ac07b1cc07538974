// Passwords of keystores, from the AWS secrets that targets name.
import type { SecretTarget } from './certificate/spec.ts';
import { StoreError } from './errors.ts';
import type { ReadText } from './ports.ts';

/** The password of the target's keystore, without the line end that editors leave; `undefined` where it has none.
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
