// Why a command cannot go on, and with which code the process ends.
import { CertrelayError } from '../../lib/ports/errors.ts';

/** Exit codes. `failed`: something is `Degraded`, or a part of the call failed. `refused`: AWS refused the
 *  call, or the function ran out of time. */
export const exitCodes = {
  fine: 0,
  failed: 1,
  usage: 2,
  refused: 3,
  credentials: 4,
  network: 5,
  cancelled: 130,
} as const;

/** One of the exit codes. */
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

/** Names of the exit codes that an error has. */
export type CommandErrorCode = Exclude<keyof typeof exitCodes, 'fine'>;

/** Ends a command. The message says what is wrong, then what to do. */
export class CommandError extends CertrelayError<CommandErrorCode> {}
