// Reads the passwords of keystores from the AWS secrets that targets name.
import { shortestPassword } from '../certificate/keystore.ts';
import type { SecretTarget } from '../certificate/spec.ts';
import { type ReadText, StoreError } from './store.ts';

/** The password of a target's keystore, without a line end at its end. `undefined` if the target names none.
 *  @throws StoreError if the AWS secret cannot be read; `Failed` if it is empty. */
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

/** A warning that the password of a target's keystore can be guessed, and what to do. `undefined` if it is
 *  long enough, or there is none. With a weak password an existing Kubernetes Secret is still updated, but no
 *  new one is created. */
export function describeWeakness(
  { password: reference }: Pick<SecretTarget, 'password'>,
  password: string | undefined,
): string | undefined {
  if (reference === undefined || password === undefined) return undefined;
  const { length } = Array.from(password);
  if (length >= shortestPassword) return undefined;
  return `the keystore's password in the AWS secret ${reference.secret} has ${length} characters and can be guessed: put one of ${shortestPassword} or more there; no new Secret is made with this one`;
}
