// Why a certificate was not issued: the closed codes of the issue story.
import { invokeCommand } from '../policy/commands.ts';
import { CertrelayError } from '../ports/errors.ts';
import type { StoreEntry } from '../ports/store.ts';

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

/** The error of a certificate whose specification is nowhere: in no inventory, or gone from its AWS secret.
 *  @param entry Absent: it was registered. */
export function createNoSpecification(name: string, entry: StoreEntry | undefined): IssueError {
  const letGo = invokeCommand('retire', { certificates: [name], dryRun: true });
  const message =
    entry && entry.state.source === undefined
      ? `the inventory that was deployed has no "${name}" any more: put its entry back and deploy, or let it go (${letGo})`
      : `the AWS secret of "${name}" holds no specification any more; register it again`;
  return new IssueError('Unknown', message);
}
