// Calls AWS Certificate Manager, and translates a failure to a CertificateManagerError.
import { CertificateManagerError, type CertificateManagerErrorCode } from '../../ports/acm.ts';
import { type AwsFailure, callAws } from '../aws/failure.ts';

/** Tag that marks a certificate in ACM as ours. Its value is `<prefix>/<name>`: the installation's prefix and
 *  the certificate's name. */
export const certificateTag = 'certrelay:certificate';

/** Error codes by the codes that only ACM has. */
const codes: Readonly<Record<string, CertificateManagerErrorCode>> = {
  LimitExceededException: 'LimitExceeded',
  TooManyTagsException: 'LimitExceeded',
  ValidationException: 'Rejected',
  InvalidArnException: 'Rejected',
  InvalidParameterException: 'Rejected',
  InvalidTagException: 'Rejected',
};

/** Makes one call. `action`: e.g. `GetCertificate`. `subject`: an ARN, or other words for what the call is
 *  about; both are for messages.
 *  @throws CertificateManagerError
 *  @throws the signal's reason once the signal is aborted. */
export function callAcm<T>(
  action: string,
  subject: string,
  signal: AbortSignal,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  return callAws(signal, send, (failure) => {
    const code = codeOf(failure);
    const message = `acm:${action} on ${subject}: ${describe(code, subject, failure.message)}`;
    return new CertificateManagerError(code, message, { cause: failure.cause });
  });
}

function codeOf({ kind, name }: AwsFailure): CertificateManagerErrorCode {
  if (kind === 'denied') return 'Denied';
  if (kind === 'throttled') return 'Throttled';
  return kind === 'missing' ? 'NotFound' : (codes[name] ?? 'Failed');
}

/** What is wrong and what to do. `reason`: the message of AWS. */
function describe(code: CertificateManagerErrorCode, subject: string, reason: string): string {
  switch (code) {
    case 'Denied': {
      const tagging = `aws acm add-tags-to-certificate --certificate-arn ${subject} --tags Key=${certificateTag},Value=<prefix>/<name>`;
      const untagged = subject.startsWith('arn:')
        ? `; a certificate must carry our tag first: ${tagging}`
        : '';
      return `AWS denied it: deploy's role must allow it (infra/template/roles.yml)${untagged}`;
    }
    case 'LimitExceeded':
      return `a quota of the account is used up: delete certificates that nobody uses, or ask AWS for more (${reason})`;
    case 'NotFound':
      return 'there is no such certificate';
    case 'Throttled':
    case 'Rejected':
    case 'NotImported':
    case 'KeyTypeConflict':
    case 'Failed':
      return reason;
  }
}
