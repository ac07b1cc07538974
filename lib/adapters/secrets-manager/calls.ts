// One call to Secrets Manager: the run's signal goes in, and what AWS refuses comes out as a StoreError.
import { StoreError } from '../../ports/store.ts';
import { type AwsFailure, callAws, readAwsFailure } from '../aws/failure.ts';

const largestValueBytes = 65_536;
/** What AWS says of a name that is not free yet, and of a secret that cannot be used. */
const awaitsDeletion = /scheduled for deletion|marked for deletion|was deleted/;

/** Carries out one call. `action` and `secret` (name or ARN, `*` for none) are named in errors.
 *  @throws StoreError with AWS's own error as cause, but for an answer that cannot be read, which may hold a key; the
 *  signal's reason where it is aborted. */
export function callSecrets<T>(
  action: string,
  secret: string,
  signal: AbortSignal,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  return callAws(signal, send, (failure) => translate(failure, action, secret));
}

/** Whether AWS refused a call with this error name, e.g. `ResourceNotFoundException`. */
export function isRefusal(error: unknown, name: string): boolean {
  return error instanceof StoreError && readAwsFailure(error.cause).name === name;
}

/** The value itself.
 *  @throws StoreError `TooLarge` where AWS would not take it. */
export function checkSize(value: string, secret: string): string {
  const bytes = Buffer.byteLength(value);
  if (bytes <= largestValueBytes) return value;
  throw new StoreError(
    'TooLarge',
    `the value for the AWS secret ${secret} has ${bytes} bytes, and AWS takes ${largestValueBytes}: ask for fewer names or targets`,
  );
}

function translate(failure: AwsFailure, action: string, secret: string): StoreError {
  const { kind, name, said, cause } = failure;
  const call = `secretsmanager:${action} on ${secret === '*' ? 'the list of AWS secrets' : `the AWS secret ${secret}`}`;
  if (kind === 'unreadable') {
    return new StoreError('Failed', `AWS answered ${call} with something that is not JSON`);
  }
  if (kind === 'denied') {
    const message = `AWS denied ${call}: the function's IAM role needs secretsmanager:${action} there (and kms:Decrypt and kms:GenerateDataKey where the secret has a key of its own)`;
    return new StoreError('Denied', message, { cause });
  }
  if (kind === 'throttled') return new StoreError('Throttled', `AWS throttled ${call}`, { cause });
  const isDeleted = name === 'InvalidRequestException' && awaitsDeletion.test(said);
  const why = isDeleted
    ? `: it is scheduled for deletion; restore it (aws secretsmanager restore-secret --secret-id ${secret}), or delete it without a recovery window`
    : ` (${name})`;
  return new StoreError('Failed', `${call} failed${why}`, { cause });
}
