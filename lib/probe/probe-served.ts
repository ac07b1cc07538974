// One look at what is served for one certificate, for stories that want to know it of what they have just delivered.
import { judgeServed } from '../policy/serving/served.ts';
import type { ProbeServed } from '../ports/probe.ts';
import type { ProbePorts } from './invocation.ts';
import { observe } from './observations.ts';

/** Looks as the probe story does. */
export function createProbeServed(
  ports: Pick<ProbePorts, 'findAddresses' | 'isPublicAddress' | 'shakeHands'>,
): ProbeServed {
  return async ({ names, probe, fingerprint }, signal) => {
    const subject = { domains: names, probe };
    const seen = (await observe([subject], ports, signal)).get(subject);
    if (!seen) signal.throwIfAborted();
    return judgeServed(fingerprint, seen ?? []);
  };
}
