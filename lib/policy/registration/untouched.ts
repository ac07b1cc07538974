// Tells a registration that nobody has worked on yet.
import type { CertificateState } from '../../state/state.ts';

/** Whether `issue` has noted nothing yet: it has not been asked, as after a crash, or only just now. */
export function isUntouched({ version, order, orders, error, problem }: CertificateState = {}): boolean {
  return [version, order, orders, error, problem].every((field) => field === undefined);
}
