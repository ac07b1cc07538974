// What the tags and the log say of why an attempt failed.
import { AcmeError } from '../../ports/acme.ts';
import { codeOf } from '../../ports/errors.ts';
import type { CertificateState } from '../../state/state.ts';

/** The type of the CA's problem, or else our own code. */
export function reasonOf(error: Error): string {
  if (error instanceof AcmeError && error.problem) return error.problem.type;
  return codeOf(error);
}

/** Pauses a certificate whose names the CA has paused: waiting does not help, a person must visit the CA's
 *  page. */
export function pausedByCa(error: Error, now: Date): Partial<CertificateState> {
  if (!(error instanceof AcmeError) || !error.pausedUrl) return {};
  const pauseReason = `the CA has paused it; visit ${error.pausedUrl}, then resume it here`;
  return { pausedSince: now, pauseReason };
}
