// Reports the state of everything. Called by schedule, for its log and metrics, and by hand.
import type { PartError } from '../lib/ports/errors.ts';
import { parseStatusEvent } from '../lib/requests/requests.ts';
import { findUnknown } from '../lib/requests/unknown.ts';
import { describeStatus, type StatusReport } from '../lib/status/status.ts';
import { defineFunction } from './runtime/define-function.ts';
import { type InstallationMetrics, writeMetrics } from './runtime/metrics.ts';
import { openSecrets } from './wiring/secrets.ts';

/** Answers with the report. Names that nobody knows are failures, and with `"check": true` everything that
 *  needs a person. */
export const handler = defineFunction({
  name: 'status',
  parse: parseStatusEvent,
  connect(invocation, closing) {
    const { certificates: store, agents, installation, publicKey } = openSecrets(invocation, closing);
    const { clock, log } = invocation;
    return { store, agents, installation, publicKey, clock, log };
  },
  async run(request, ports, { settings, inventory, signal }) {
    const unknown = await findUnknown(request.certificates ?? [], { ...ports, inventory, signal });
    const certificates = withoutParts(request.certificates, unknown);
    const invocation = { ...request, certificates, inventory, staleAfterMs: settings.staleAfterMs, signal };
    const { report, problems } = await describeStatus(ports, invocation);
    if (!request.certificates) writeMetrics(measure(report, settings.prefix, ports.clock.now()));
    return { answer: report, failures: [...unknown, ...(request.check ? problems : [])] };
  },
});

function withoutParts(
  names: readonly string[] | undefined,
  unknown: readonly PartError[],
): readonly string[] | undefined {
  return names?.filter((name) => !unknown.some(({ part }) => part === name));
}

/** What today's report tells. */
function measure(report: StatusReport, installation: string, now: Date): InstallationMetrics {
  const { summary, certificates, agents } = report;
  const ends = certificates.flatMap(({ notAfter }) => notAfter?.getTime() ?? []);
  return {
    installation,
    DegradedCertificates: summary.failing,
    DegradedOthers: agents.filter(({ state }) => state === 'stale' || state === 'failing').length,
    SuspendedCertificates: certificates.filter(({ message }) => message.startsWith('paused since ')).length,
    SoonestExpiryDays: ends.length === 0 ? null : (Math.min(...ends) - now.getTime()) / 86_400_000,
    PendingTargets: certificates
      .flatMap(({ targets = [] }) => targets)
      .filter(({ applied }) => applied !== 'yes').length,
    Certificates: summary.failing + summary.pending + summary.well,
  };
}
