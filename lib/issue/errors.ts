// Why a certificate was not issued: the closed codes of the issue story.
import { CertrelayError } from '../ports/errors.ts';

/** `Unknown`: no such certificate. `BadCertificate`: the CA issued another certificate than was ordered,
 *  or a useless one. `DueAgain`: the certificate is stored, and would be ordered again at once.
 *  `Unfinished`: an order took longer than it is polled. `Rehearsal`: a test CA did not validate the
 *  names. `Failed`: a certificate could not be kept; the cause says why. */
export type IssueErrorCode =
  | 'Unknown'
  | 'BadCertificate'
  | 'DueAgain'
  | 'Unfinished'
  | 'Rehearsal'
  | 'Failed';

/** Why a certificate was not issued; the code says which kind. */
export class IssueError extends CertrelayError<IssueErrorCode> {}
