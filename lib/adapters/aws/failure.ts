// Classifies the failures of AWS calls: every service has the same few kinds.
import { describeError } from '../../ports/errors.ts';
import { isUnreadable } from '../../ports/foreign-errors.ts';

/** Why a call to AWS failed.
 *  - `denied`: an IAM or resource policy does not allow it.
 *  - `unsigned`: AWS does not accept the credentials.
 *  - `throttled`: too many requests.
 *  - `missing`: the resource does not exist.
 *  - `unreachable`: no answer, or none in time.
 *  - `unreadable`: the SDK cannot parse the answer.
 *  - `other`: anything else; the adapter knows it by `name`. */
export type AwsFailureKind =
  | 'denied'
  | 'unsigned'
  | 'throttled'
  | 'missing'
  | 'unreachable'
  | 'unreadable'
  | 'other';

/** A failed call to AWS. */
export interface AwsFailure {
  readonly kind: AwsFailureKind;
  /** The code of AWS, e.g. `InvalidChangeBatch`, or that of the system for a connection, e.g.
   *  `ECONNREFUSED`. */
  readonly name: string;
  /** The message of AWS, or words for a failed connection: at most 400 characters, without long runs of
   *  base64, because AWS quotes what it refuses. */
  readonly message: string;
  /** The SDK's error. `undefined` for `unreadable`, because that error quotes the answer, which may contain a
   *  key. */
  readonly cause: unknown;
}

/** Kinds by the beginning of AWS's code; the first match counts. */
const kinds: readonly (readonly [RegExp, AwsFailureKind])[] = [
  [/^(?:AccessDenied|K[Mm][Ss]\.?AccessDenied|NotAuthorized|UnauthorizedOperation)/, 'denied'],
  [
    /^(?:UnrecognizedClient|InvalidClientToken|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|ExpiredToken|MissingAuthenticationToken|Credentials|Token)/,
    'unsigned',
  ],
  [/^(?:Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown)/, 'throttled'],
  [/^(?:ResourceNotFound|NoSuch|QueueDoesNotExist|AWS\.SimpleQueueService\.NonExistentQueue)/, 'missing'],
  [/^(?:TimeoutError|RequestTimeout|E[A-Z]{4,}$|UND_ERR_)/, 'unreachable'],
];

/** Classifies an error of the AWS SDK. */
export function readAwsFailure(error: unknown): AwsFailure {
  if (error instanceof Error && isUnreadable(error)) {
    return { kind: 'unreadable', name: 'unreadable', message: 'its answer cannot be read', cause: undefined };
  }
  const name = nameOf(error);
  const kind = kinds.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
  const message =
    error instanceof Error ? describeError(error).replaceAll(/[A-Za-z0-9+/=]{40,}/g, '…') : name;
  return { kind, name, message: message.slice(0, 400), cause: error };
}

/** Makes one call and returns its result.
 *  @throws the error that `translate` makes of the failure
 *  @throws the signal's reason once the signal is aborted. */
export async function callAws<T>(
  signal: AbortSignal,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
  translate: (failure: AwsFailure) => Error,
): Promise<T> {
  signal.throwIfAborted();
  try {
    return await send({ abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    throw translate(readAwsFailure(error));
  }
}

/** The code of an error: its name, or the `code` of a connection error, whose name is only `Error`. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code: unknown = error.name === 'Error' && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : error.name;
}
