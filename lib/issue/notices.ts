// Hands over to `notify` which certificates were issued, for channels that want to know.
import { nameDestination } from '../policy/delivery/secret-plan.ts';
import { describeError } from '../ports/errors.ts';
import type { IssuedCertificate } from '../ports/notices.ts';
import type { PlannedCertificate } from './gather/gather.ts';
import type { IssueInvocation, IssuePorts } from './invocation.ts';
import type { OrderOutcome } from './order/outcome.ts';

/** Hands over one message with everything that the pass has issued. Never rejects: what happened has
 *  happened, and a failure is in the log. A run that ends before it tells nobody. */
export async function tellIssued(
  certificates: readonly PlannedCertificate[],
  outcomes: readonly OrderOutcome[],
  { notices, clock, log }: Pick<IssuePorts, 'notices' | 'clock' | 'log'>,
  { id, cleanUpSignal }: Pick<IssueInvocation, 'id' | 'cleanUpSignal'>,
): Promise<void> {
  const planned = new Map(certificates.map((one) => [one.name, one]));
  const issued = outcomes.flatMap((outcome): readonly IssuedCertificate[] => {
    const { spec, entry, situation } = planned.get(outcome.name) ?? {};
    if (outcome.outcome !== 'issued' || !situation) return [];
    const { name: certificate, version, notAfter } = outcome;
    return [
      {
        certificate,
        domains: spec?.domains ?? entry?.state.domains ?? [],
        version,
        notAfter,
        issuer: situation.desired.issuer,
        targets: (spec?.targets ?? []).map((target) => nameDestination(target, certificate)),
      },
    ];
  });
  if (!notices || issued.length === 0) return;
  try {
    await notices.send({ at: clock.now(), issued }, id, cleanUpSignal);
  } catch (error) {
    log.error('changes not queued', { problem: describeError(error) });
  }
}
