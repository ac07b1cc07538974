// The key by which issue signs what is meant for agents: `<prefix>/signing-key`, an Ed25519 key as PEM.
import {
  CreateSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { isPublicKey, publicKeyOf } from '../../certificate/statement.ts';
import { StoreError } from '../../ports/store.ts';
import { callSecrets, isRefusal } from './calls.ts';

/** Tag of that AWS secret by which whoever may not read it shows the public key. */
const publicKeyTag = 'certrelay:publicKey';

/** Gives the key (PKCS#8 PEM); the first who asks makes it.
 *  @throws StoreError `Failed` where the AWS secret holds something else. */
export async function obtainSigningKey(
  client: SecretsManagerClient,
  options: { readonly secret: string; readonly uuid: () => string; readonly generate: () => string },
  signal: AbortSignal,
): Promise<string> {
  const { secret, uuid, generate } = options;
  const kept = await read(client, secret, signal);
  if (kept !== undefined) return kept;
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
    const theirs = await read(client, secret, signal);
    if (theirs === undefined) throw error;
    return theirs;
  }
}

/** The public key, without reading the private one; `undefined` where there is no key yet.
 *  @throws StoreError `Failed` where its tag does not hold one. */
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
    // What OpenSSL says of a key that it cannot read must not carry key bytes anywhere.
    return false;
  }
}
