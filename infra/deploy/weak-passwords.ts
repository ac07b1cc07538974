// Finds weak passwords of keystores before a deploy, while the author of the inventory is still there to
// correct them.
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Inventory, isSecretTarget } from '../../lib/certificate/spec.ts';
import { toError } from '../../lib/ports/errors.ts';
import { describeWeakness, readPassword } from '../../lib/ports/passwords.ts';
import type { StackProvider } from './deployed-stack.ts';

/** One line for each password of the inventory that is too short or could not be read. No line contains a
 *  password. Never throws. Makes no call if no target has a keystore. */
export async function findWeakPasswords(
  { certificates, registration }: Pick<Inventory, 'certificates' | 'registration'>,
  provider: Pick<StackProvider, 'getAwsSdkV3Config'>,
): Promise<readonly string[]> {
  const targets = [...certificates, ...(registration ? [registration] : [])].flatMap((one) => one.targets);
  const passwords = targets.filter(isSecretTarget).flatMap(({ password }) => password ?? []);
  const named = new Map(passwords.map((password) => [password.secret, password]));
  if (named.size === 0) return [];
  try {
    const client = new SecretsManagerClient(await provider.getAwsSdkV3Config());
    const readText = async (secret: string): Promise<string> =>
      (await client.send(new GetSecretValueCommand({ SecretId: secret }))).SecretString ?? '';
    const { signal } = new AbortController();
    const looks = [...named.values()].map(async (password) => {
      try {
        return describeWeakness({ password }, await readPassword({ password }, readText, signal));
      } catch (error) {
        const { name, message } = toError(error);
        return `the keystore's password in the AWS secret ${password.secret} was not looked at (${name}: ${message})`;
      }
    });
    const lines = await Promise.all(looks);
    client.destroy();
    return lines.filter((line) => line !== undefined);
  } catch (error) {
    return [`the passwords of keystores were not looked at: ${toError(error).message}`];
  }
}
