// One call to AWS Certificate Manager: the run's signal goes in, and what AWS refuses comes out with a code.
import { CertificateManagerError, type CertificateManagerErrorCode } from '../../ports/acm.ts';
import { type AwsFailure, callAws } from '../aws/failure.ts';

/** The tag by which a certificate in ACM is known as ours: the prefix of the installation, a slash, and the name of the
 *  certificate that is imported there. */
export const certificateTag = 'certrelay:certificate';

/** ACM's own codes. */
const codes: Readonly<Record<string, CertificateManagerErrorCode>> = {
  LimitExceededException: 'LimitExceeded',
  TooManyTagsException: 'LimitExceeded',
  ValidationException: 'Rejected',
  InvalidArnException: 'Rejected',
  InvalidParameterException: 'Rejected',
  InvalidTagException: 'Rejected',
};

/** Carries out one call. `subject`: an ARN, or what else the call is about, for messages.
 *  @throws CertificateManagerError, or the signal's reason where it is aborted. */
export function callAcm<T>(
  action: string,
  subject: string,
  signal: AbortSignal,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  return callAws(signal, send, (failure) => {
    const { said, cause } = failure;
    const code = codeOf(failure);
    const message = `acm:${action} on ${subject}: ${describe(code, subject, said)}`;
    return new CertificateManagerError(code, message, { cause });
  });
}

function codeOf({ kind, name }: AwsFailure): CertificateManagerErrorCode {
  if (kind === 'denied') return 'Denied';
  if (kind === 'throttled') return 'Throttled';
  return kind === 'missing' ? 'NotFound' : (codes[name] ?? 'Failed');
}

function describe(code: CertificateManagerErrorCode, subject: string, said: string): string {
  switch (code) {
    case 'Denied': {
      const tagging = `aws acm add-tags-to-certificate --certificate-arn ${subject} --tags Key=${certificateTag},Value=<prefix>/<name>`;
      const untagged = subject.startsWith('arn:')
        ? `; a certificate must carry our tag first: ${tagging}`
        : '';
      return `AWS denied it: deploy's role must allow it (infra/roles.yml)${untagged}`;
    }
    case 'LimitExceeded':
      return `a quota of the account is used up: delete certificates that nobody uses, or ask AWS for more (${said})`;
    case 'NotFound':
      return 'there is no such certificate';
    case 'Throttled':
    case 'Rejected':
    case 'NotImported':
    case 'KeyTypeConflict':
    case 'Failed':
      return said;
  }
}
