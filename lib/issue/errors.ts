// Why a certificate was not issued: the closed codes of the issue story.
import { CertrelayError } from '../ports/errors.ts';

/** `Unknown`: no such certificate. `BadCertificate`: the CA issued something else than was ordered, or what
 *  is of no use. `DueAgain`: what it issued is stored, and would be ordered again at once. `Unfinished`: an
 *  order was followed for as long as anybody waits. `Rehearsal`: a CA for tests did not validate the names.
 *  `Failed`: a certificate could not be kept; the cause tells. */
export type IssueErrorCode =
  | 'Unknown'
  | 'BadCertificate'
  | 'DueAgain'
  | 'Unfinished'
  | 'Rehearsal'
  | 'Failed';

/** Why a certificate was not issued; the code says which kind. */
export class IssueError extends CertrelayError<IssueErrorCode> {}
