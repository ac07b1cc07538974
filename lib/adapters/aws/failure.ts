// What AWS says if it does not do what was asked: the same few kinds for every service.

/** `denied`: by a policy. `unsigned`: AWS does not take the credentials. `throttled`: too many requests.
 *  `missing`: what the call is about does not exist. `unreachable`: no answer, or none in time.
 *  `unreadable`: an answer that the SDK cannot parse. `other`: anything else, which the adapter knows by
 *  `name`. */
export type AwsFailureKind =
  | 'denied'
  | 'unsigned'
  | 'throttled'
  | 'missing'
  | 'unreachable'
  | 'unreadable'
  | 'other';

/** One failed call. */
export interface AwsFailure {
  readonly kind: AwsFailureKind;
  /** AWS's own code, such as `InvalidChangeBatch`; of a connection the system's, such as `ECONNREFUSED`. */
  readonly name: string;
  /** AWS's words, at most 400 characters, without long runs of base64: AWS quotes what it refuses. */
  readonly said: string;
  /** The SDK's error; `undefined` if that quotes an answer, which may hold a key. */
  readonly cause: unknown;
}

/** By the beginning of AWS's code, the first that fits. */
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

/** Which kind of failure an SDK's error is. */
export function readAwsFailure(error: unknown): AwsFailure {
  if (isUnreadable(error)) {
    return { kind: 'unreadable', name: 'unreadable', said: 'its answer cannot be read', cause: undefined };
  }
  const name = nameOf(error);
  const kind = kinds.find(([pattern]) => pattern.test(name))?.[1] ?? 'other';
  const said = error instanceof Error ? error.message.replaceAll(/[A-Za-z0-9+/=]{40,}/g, '…') : name;
  return { kind, name, said: said.slice(0, 400), cause: error };
}

/** Carries out one call.
 *  @throws what `translate` makes of its failure, or the signal's reason once that is aborted. */
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

/** The parser quotes what it could not read, and the SDK adds where the rest of it is. */
function isUnreadable(error: unknown): boolean {
  return (
    error instanceof SyntaxError ||
    (error instanceof Error && error.message.includes('Deserialization error'))
  );
}

/** AWS's code. The errors of a connection are all called `Error`, and have a code. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const code: unknown = error.name === 'Error' && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : error.name;
}
