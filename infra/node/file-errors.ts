// Says in words why a file cannot be read or written.
import { toError } from '../../lib/ports/errors.ts';

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EISDIR: 'it is a folder; give the path of a file',
  ENOTDIR: 'a part of its path is a file, and no folder',
  EACCES: 'you have no right to it',
  EPERM: 'you have no right to it',
  EROFS: 'its disk can only be read',
  ENOSPC: 'no space is left on its disk',
};

/** Why it failed, as the end of a sentence; of other failures their own first line. */
export function explainFileError(error: unknown): string {
  return reasons[Object(error).code] ?? toError(error).message.split('\n')[0] ?? '';
}
