// Calls AWS Secrets Manager, and translates a failure to a StoreError.
import { invokeCommand } from '../../policy/commands.ts';
import { StoreError } from '../../ports/store.ts';
import { type AwsFailure, callAws, readAwsFailure } from '../aws/failure.ts';

/** Largest value of an AWS secret. */
const largestValueBytes = 65_536;
/** AWS's messages about an AWS secret that is scheduled for deletion: its name is not free, its value not
 *  readable. */
const awaitsDeletion = /scheduled for deletion|marked for deletion|was deleted/;

/** Makes one call. `action` (e.g. `GetSecretValue`) and `secret` (name, ARN, or `*` for a list) are for
 *  messages.
 *  @throws StoreError with the error of AWS as cause, except one that quotes an unreadable answer
 *  @throws the signal's reason once the signal is aborted. */
export function callSecrets<T>(
  action: string,
  secret: string,
  signal: AbortSignal,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  return callAws(signal, send, (failure) => translate(failure, action, secret));
}

/** Whether an error of `callSecrets` is a refusal of AWS with this code, e.g. `ResourceNotFoundException`. */
export function isRefusal(error: unknown, name: string): boolean {
  return error instanceof StoreError && readAwsFailure(error.cause).name === name;
}

/** Whether an error of `callSecrets` says that the AWS secret is scheduled for deletion. */
export function isAwaitingDeletion(error: unknown): boolean {
  if (!isRefusal(error, 'InvalidRequestException')) return false;
  return error instanceof StoreError && awaitsDeletion.test(readAwsFailure(error.cause).message);
}

/** Returns a value if AWS accepts its size. `secret`: name of the AWS secret, for the message.
 *  @throws StoreError `TooLarge` if it has over 65,536 bytes. */
export function checkSize(value: string, secret: string): string {
  const bytes = Buffer.byteLength(value);
  if (bytes <= largestValueBytes) return value;
  throw new StoreError(
    'TooLarge',
    `the value for the AWS secret ${secret} has ${bytes} bytes, and AWS takes ${largestValueBytes}: ask for fewer names or targets`,
  );
}

/** The command that restores an AWS secret: that of a certificate is ordered anew, too. */
function restoreCommand(secret: string): string {
  const certificate = /\/certificates\/([a-z0-9-]+)$/.exec(secret)?.[1];
  return certificate === undefined
    ? `aws secretsmanager restore-secret --secret-id ${secret}`
    : invokeCommand('retire', { restore: [certificate] });
}

function translate(failure: AwsFailure, action: string, secret: string): StoreError {
  const { kind, name, message: refusal, cause } = failure;
  const call = `secretsmanager:${action} on ${secret === '*' ? 'the list of AWS secrets' : `the AWS secret ${secret}`}`;
  if (kind === 'unreadable') {
    return new StoreError('Failed', `AWS answered ${call} with something that is not JSON`);
  }
  const ofKey = translateKey(failure, call, secret);
  if (ofKey) return ofKey;
  if (kind === 'denied') {
    const message = `AWS denied ${call}: the function's IAM role needs secretsmanager:${action} there (and kms:Decrypt and kms:GenerateDataKey if the secret has a KMS key of its own)`;
    return new StoreError('Denied', message, { cause });
  }
  if (kind === 'throttled') return new StoreError('Throttled', `AWS throttled ${call}`, { cause });
  const isDeleted = name === 'InvalidRequestException' && awaitsDeletion.test(refusal);
  const reason = isDeleted
    ? `: it is scheduled for deletion; restore it (${restoreCommand(secret)}), or delete it without a recovery window`
    : ` (${name})`;
  return new StoreError('Failed', `${call} failed${reason}`, { cause });
}

/** The error if AWS refuses because of the KMS key; the names and words are those of its documentation. */
function translateKey({ kind, name, message, cause }: AwsFailure, call: string, secret: string) {
  const hint = `the key is KmsKeyId in "aws secretsmanager describe-secret --secret-id ${secret}", and that of a new certificate kmsKey of the inventory`;
  if (kind === 'denied' && /Access to KMS|\bkms:[A-Z]/.test(message)) {
    const words = `AWS denied ${call} because of its KMS key: the role needs kms:Decrypt (to write also kms:GenerateDataKey) on the key, which a deploy with this kmsKey gives to functions, and KmsKey of infra/agent-role.yaml to an agent, and the key's policy must let it in (${hint})`;
    return new StoreError('Denied', words, { cause });
  }
  if (name !== 'DecryptionFailure' && name !== 'EncryptionFailure') return undefined;
  const words = `${call} failed (${name}): AWS cannot use its KMS key; enable the key, or cancel its deletion (${hint})`;
  return new StoreError('Failed', words, { cause });
}
