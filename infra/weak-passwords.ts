// Before a deploy: passwords of keystores that can be guessed. Functions find that too late for whoever wrote the inventory.
import { GetSecretValueCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Inventory, isSecretTarget } from '../lib/certificate/spec.ts';
import { toError } from '../lib/ports/errors.ts';
import { describeWeakness, readPassword } from '../lib/ports/passwords.ts';
import type { StackProvider } from './deployed-stack.ts';

/** A line for each password that the inventory names and that is too short, or that could not be looked at; no line holds one.
 *  Never throws, and asks nothing where no target has a keystore. */
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
