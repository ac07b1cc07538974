// One call to Secrets Manager: the run's signal goes in, and what AWS refuses comes out as a StoreError.
import { StoreError } from '../../ports/store.ts';

const largestValueBytes = 65_536;
/** What AWS says of a name that is not free yet, and of a secret that cannot be used. */
const awaitsDeletion = /scheduled for deletion|marked for deletion|was deleted/;

/** Carries out one call. `action` and `secret` (name or ARN, `*` for none) are named in errors.
 *  @throws StoreError with AWS's own error as cause, but for an answer that cannot be read, which may hold a key; the
 *  signal's reason where it is aborted. */
export async function callSecrets<T>(
  action: string,
  secret: string,
  signal: AbortSignal,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  try {
    return await send({ abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    throw translate(error, action, secret);
  }
}

/** Whether AWS refused a call with this error name, e.g. `ResourceNotFoundException`. */
export function isRefusal(error: unknown, name: string): boolean {
  return error instanceof StoreError && nameOf(error.cause) === name;
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

function translate(error: unknown, action: string, secret: string): StoreError {
  const call = `secretsmanager:${action} on ${secret === '*' ? 'the list of AWS secrets' : `the AWS secret ${secret}`}`;
  if (isUnreadable(error))
    return new StoreError('Failed', `AWS answered ${call} with something that is not JSON`);
  const name = nameOf(error);
  switch (name) {
    case 'AccessDenied':
    case 'AccessDeniedException':
      return new StoreError(
        'Denied',
        `AWS denied ${call}: the function's IAM role needs secretsmanager:${action} there (and kms:Decrypt and kms:GenerateDataKey where the secret has a key of its own)`,
        { cause: error },
      );
    case 'Throttling':
    case 'ThrottlingException':
    case 'TooManyRequestsException':
    case 'RequestLimitExceeded':
      return new StoreError('Throttled', `AWS throttled ${call}`, { cause: error });
    case 'InvalidRequestException':
      if (!(error instanceof Error) || !awaitsDeletion.test(error.message)) break;
      return new StoreError(
        'Failed',
        `${call} failed: it is scheduled for deletion; restore it (aws secretsmanager restore-secret --secret-id ${secret}), or delete it without a recovery window`,
        { cause: error },
      );
  }
  return new StoreError('Failed', `${call} failed (${name})`, { cause: error });
}

/** The parser quotes what it could not read, and the SDK adds where the rest of it is. */
function isUnreadable(error: unknown): boolean {
  return (
    error instanceof SyntaxError ||
    (error instanceof Error && error.message.includes('Deserialization error'))
  );
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : typeof error;
}
