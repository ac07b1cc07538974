// One call to AWS Certificate Manager: the run's signal goes in, and what AWS refuses comes out with a code.
import { CertificateManagerError, type CertificateManagerErrorCode } from '../../ports/acm.ts';

/** The tag by which a certificate in ACM is known as ours: the prefix of the installation, a slash, and the name of the
 *  certificate that is imported there. */
export const certificateTag = 'certrelay:certificate';

const codes: Readonly<Record<string, CertificateManagerErrorCode>> = {
  AccessDenied: 'Denied',
  AccessDeniedException: 'Denied',
  Throttling: 'Throttled',
  ThrottlingException: 'Throttled',
  TooManyRequestsException: 'Throttled',
  LimitExceededException: 'LimitExceeded',
  TooManyTagsException: 'LimitExceeded',
  ResourceNotFoundException: 'NotFound',
  ValidationException: 'Rejected',
  InvalidArnException: 'Rejected',
  InvalidParameterException: 'Rejected',
  InvalidTagException: 'Rejected',
};

/** Carries out one call. `subject`: an ARN, or what else the call is about, for messages.
 *  @throws CertificateManagerError, or the signal's reason where it is aborted. */
export async function callAcm<T>(
  action: string,
  subject: string,
  signal: AbortSignal,
  send: (options: { readonly abortSignal: AbortSignal }) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  try {
    return await send({ abortSignal: signal });
  } catch (error) {
    signal.throwIfAborted();
    throw translate(error, `acm:${action} on ${subject}`, subject);
  }
}

function translate(error: unknown, call: string, subject: string): CertificateManagerError {
  const name = error instanceof Error ? error.name : typeof error;
  const said = error instanceof Error ? redact(error.message) : name;
  const code = codes[name] ?? 'Failed';
  return new CertificateManagerError(code, `${call}: ${describe(code, subject, said)}`, {
    // What could not be read may hold a certificate's key, and the parser quotes it.
    cause: error instanceof SyntaxError ? undefined : error,
  });
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

/** Long runs of base64 go: AWS quotes what it refuses. */
function redact(message: string): string {
  return message.replace(/[A-Za-z0-9+/=]{40,}/g, '…').slice(0, 400);
}
