// One look at what is served for one certificate, for stories that want to know it of what they have just delivered.
import { judgeServed } from '../policy/serving/served.ts';
import type { LookAtServed } from '../ports/probe.ts';
import type { ProbePorts } from './run.ts';
import { observe } from './sightings.ts';

/** Looks as the probe story does. */
export function createLook(
  ports: Pick<ProbePorts, 'findAddresses' | 'isPublicAddress' | 'shakeHands'>,
): LookAtServed {
  return async ({ names, probe, fingerprint }, signal) => {
    const sought = { domains: names, probe };
    const seen = (await observe([sought], ports, signal)).get(sought);
    if (!seen) signal.throwIfAborted();
    return judgeServed(fingerprint, seen ?? []);
  };
}
