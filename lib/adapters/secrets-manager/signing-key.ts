// Stores the key that `issue` signs statements for agents with: `<prefix>/signing-key`, Ed25519 as PEM.
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { isPublicKey, publicKeyOf } from '../../certificate/statement.ts';
import { StoreError } from '../../ports/store.ts';
import { callSecrets, isRefusal } from './calls.ts';

/** Tag of that AWS secret with the public key, for readers without the right to read the value. */
const publicKeyTag = 'certrelay:publicKey';

/** The private key as PKCS#8 PEM. If there is none yet, stores the one that `generate` returns.
 *  @throws StoreError, e.g. `Failed` if the AWS secret contains something else. */
export async function obtainSigningKey(
  client: SecretsManagerClient,
  options: { readonly secret: string; readonly uuid: () => string; readonly generate: () => string },
  signal: AbortSignal,
): Promise<string> {
  const { secret, uuid, generate } = options;
  const existing = await read(client, secret, signal);
  if (existing !== undefined) return existing;
  const key = generate();
  const request = {
    Name: secret,
    SecretString: key,
    ClientRequestToken: uuid(),
    Tags: [{ Key: publicKeyTag, Value: publicKeyOf(key) }],
  };
  try {
    await callSecrets('CreateSecret', secret, signal, (call) =>
      client.send(new CreateSecretCommand(request), call),
    );
    return key;
  } catch (error) {
    if (!isRefusal(error, 'ResourceExistsException')) throw error;
    // Another run was faster.
    const other = await read(client, secret, signal);
    if (other === undefined) throw error;
    return other;
  }
}

/** The public key, from the tag; the private key is not read. `undefined` if there is no key yet.
 *  @throws StoreError, e.g. `Failed` if the tag contains no public key. */
export async function readPublicKey(
  client: SecretsManagerClient,
  secret: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { Tags = [] } = await callSecrets('DescribeSecret', secret, signal, (call) =>
      client.send(new DescribeSecretCommand({ SecretId: secret }), call),
    );
    const value = Tags.find(({ Key }) => Key === publicKeyTag)?.Value ?? '';
    if (isPublicKey(value)) return value;
  } catch (error) {
    if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
  const message = `the AWS secret ${secret} has no public key on its tag ${publicKeyTag}: put it there`;
  throw new StoreError('Failed', message);
}

async function read(
  client: SecretsManagerClient,
  secret: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  try {
    const { SecretString = '' } = await callSecrets('GetSecretValue', secret, signal, (call) =>
      client.send(new GetSecretValueCommand({ SecretId: secret }), call),
    );
    if (isSigningKey(SecretString)) return SecretString;
  } catch (error) {
    if (isRefusal(error, 'ResourceNotFoundException')) return undefined;
    throw error;
  }
  throw new StoreError(
    'Failed',
    `the AWS secret ${secret} does not hold an Ed25519 key as PEM: put back an earlier version of it`,
  );
}

function isSigningKey(pem: string): boolean {
  try {
    return isPublicKey(publicKeyOf(pem));
  } catch {
    // The error of OpenSSL may contain bytes of the key.
    return false;
  }
}
