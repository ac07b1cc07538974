// Probes one certificate for other stories, such as deploy after a delivery and revoke before a revocation.
import { judgeServed } from '../policy/serving/served.ts';
import type { ProbeServed } from '../ports/probe.ts';
import type { ProbePorts } from './invocation.ts';
import { observe } from './observations.ts';

/** Returns a `ProbeServed` that finds addresses, shakes hands and judges exactly as the probe story does. */
export function createProbeServed(
  ports: Pick<ProbePorts, 'findAddresses' | 'isPublicAddress' | 'shakeHands'>,
): ProbeServed {
  return async (query, signal) => {
    const subject = { ...query, domains: query.names };
    const observations = (await observe([subject], ports, signal)).get(subject);
    if (!observations) signal.throwIfAborted();
    return judgeServed(query, observations ?? []);
  };
}
