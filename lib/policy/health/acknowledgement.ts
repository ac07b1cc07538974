// What becomes of a trouble that a person knows of.
import type { Acknowledgement } from '../../state/health.ts';
import type { Finding } from './finding.ts';
import { mayAcknowledge } from './reasons.ts';

/** The finding, which is `Suspended` while a person has acknowledged its reason: until the time is over, or
 *  it has another reason. */
export function acknowledge(finding: Finding, known: Acknowledgement | undefined, now: Date): Finding {
  const isKnown =
    known !== undefined &&
    finding.health === 'Degraded' &&
    known.reason === finding.reason &&
    known.until > now &&
    mayAcknowledge(finding.reason);
  if (!isKnown) return finding;
  const { until, words, reason } = known;
  const message = `${reason}, acknowledged until ${until.toISOString()} (${words}): ${finding.message}`;
  return {
    ...finding,
    health: 'Suspended',
    reason: 'Acknowledged',
    message,
    next: { what: 'end', at: until },
  };
}
