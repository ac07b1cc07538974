// Says in plain words why AWS could not be looked at, and what to do. What the SDK says is repeated only if
// it is AWS's own reason.
import { oneLine } from '../../../lib/policy/bounds.ts';
import { toError } from '../../../lib/ports/errors.ts';
import { explainCredentials, findErrorCode } from '../aws-errors.ts';

const denials =
  /^(AccessDenied(Exception)?|AuthorizationError(Exception)?|UnauthorizedOperation|NotAuthorized)$/;
const throttles = /^(Throttl\w*|TooManyRequestsException|RequestLimitExceeded|SlowDown)$/;
const timeouts = /^(TimeoutError|AbortError|RequestTimeout\w*)$/;
/** What a server says that does not know the call: no AWS, or one that imitates only a part of it. */
const unknownCalls =
  /^(InvalidAction|UnknownOperationException|UnknownAction|NotImplemented\w*|UnsupportedOperation|ResourceNotFoundException)$/;

/** One sentence for what a look threw, and what to do.
 *  @param right The right that the look needs, such as `cloudformation:DescribeStacks`; absent: none. */
export function explainLook(thrown: unknown, right: string | undefined): string {
  const error = toError(thrown);
  const needs = right === undefined ? '' : ` (it needs ${right})`;
  const credentials = explainCredentials(error);
  if (credentials !== undefined) return credentials;
  if (denials.test(error.name))
    return right === undefined
      ? `AWS refused: ${oneLine(error.message, 300)}`
      : `your credentials may not do that; ask for ${right}`;
  if (throttles.test(error.name)) return 'AWS has too many requests of this account now; check again later';
  if (timeouts.test(error.name))
    return 'AWS did not answer in time; check the network and the proxy, and try again';
  const code = findErrorCode(error);
  if (/^(E[A-Z]{3,}|CERT_|ERR_TLS|UNABLE_TO|SELF_SIGNED|DEPTH_ZERO)/.test(code))
    return `AWS cannot be reached (${code}); check the network, the proxy and --region`;
  if (unknownCalls.test(error.name) || isUnreadable(error))
    return `what answers there is not AWS, or only a part of it${needs}; see AWS_ENDPOINT_URL… and your proxy`;
  return `AWS refused: ${oneLine(`${error.name}: ${error.message}`, 300)}${needs}`;
}

/** Whether the SDK could not read the answer: a page of a proxy, or of something else. */
function isUnreadable({ name, message }: Error): boolean {
  return name === 'SyntaxError' || /deserialization error|parse error|is not valid JSON/i.test(message);
}
