// Says in words why AWS could not be asked, or refused: one exit code for each kind.
import { oneLine } from '../../lib/policy/bounds.ts';
import { toError } from '../../lib/ports/errors.ts';
import { CommandError } from './errors.ts';

/** What was called, and where. */
export interface AskedPlace {
  readonly region: string;
  /** URL in place of AWS's own. */
  readonly endpoint?: string;
  /** Name of the function, or what else was asked for. */
  readonly what: string;
}

const credentialErrors = new Set([
  'CredentialsProviderError',
  'TokenProviderError',
  'ExpiredToken',
  'ExpiredTokenException',
  'UnrecognizedClientException',
  'InvalidClientTokenId',
  'InvalidClientTokenIdException',
  'MissingAuthenticationToken',
  'MissingAuthenticationTokenException',
  'IncompleteSignature',
  'IncompleteSignatureException',
  'InvalidSignatureException',
  'SignatureDoesNotMatch',
]);
const networkErrors =
  /^(ECONN(REFUSED|RESET|ABORTED)|ENOTFOUND|EAI_\w+|ENET\w+|EHOST\w+|EPIPE|ETIMEDOUT|EPROTO|CERT_\w+|ERR_TLS_\w+|(DEPTH_ZERO_)?SELF_SIGNED_CERT(_IN_CHAIN)?|UNABLE_TO_\w+)$/;

/** The error of a command for what the SDK threw. */
export function explainAwsError(thrown: unknown, asked: AskedPlace): CommandError {
  const error = toError(thrown);
  const words = oneLine(error.message, 500);
  const { region } = asked;
  if (error.name === 'AbortError') return new CommandError('cancelled', `cancelled; ${asked.what} runs on`);
  const refused = explainCredentials(error);
  if (refused !== undefined) return new CommandError('credentials', refused);
  const code = findErrorCode(error);
  if (networkErrors.test(code)) {
    const where = asked.endpoint ?? `AWS in ${region}`;
    const advice = 'check the network, the proxy and --region or --endpoint-url';
    return new CommandError('network', `${where} cannot be reached (${code}); ${advice}`);
  }
  if (error.name === 'ResourceNotFoundException') {
    const advice = 'name another installation by --stage and --region, or deploy this one';
    return new CommandError('refused', `there is no function ${asked.what} in ${region}; ${advice}`);
  }
  if (error.name === 'AccessDeniedException')
    return new CommandError(
      'refused',
      `AWS refused: ${words}; ask for lambda:InvokeFunction on ${asked.what}`,
    );
  if (error.name === 'TooManyRequestsException')
    return new CommandError(
      'refused',
      `AWS refused: ${asked.what} is called too often now; call it again later`,
    );
  if (error.name === 'TimeoutError') {
    const isConnect = /connect/i.test(words);
    const code = isConnect ? 'network' : 'refused';
    return new CommandError(code, `${asked.what} in ${region} did not answer in time: ${words}; try again`);
  }
  return new CommandError('refused', `AWS refused ${asked.what}: ${error.name}: ${words}`);
}

/** What to do if it is the credentials that AWS does not take; else `undefined`. */
export function explainCredentials(thrown: unknown): string | undefined {
  const { name, message } = toError(thrown);
  if (!credentialErrors.has(name)) return undefined;
  const advice = 'sign in to AWS, or set AWS_PROFILE or AWS_ACCESS_KEY_ID and what belongs to it';
  return `no credentials that AWS takes: ${oneLine(message, 500)}; ${advice}`;
}

/** The code of Node's own error, which may be wrapped; empty if there is none. */
export function findErrorCode(error: Error): string {
  for (let next: unknown = error, depth = 0; next instanceof Error && depth < 5; depth += 1) {
    if ('code' in next && typeof next.code === 'string') return next.code;
    if (next instanceof AggregateError && next.errors.length > 0) next = next.errors[0];
    else next = next.cause;
  }
  return '';
}
