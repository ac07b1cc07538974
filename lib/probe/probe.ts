// The probe story: looks at what is served under each certificate's names, notes it, and tells where it is another one.

import {
  isOther,
  judgeServed,
  type ProbeResult,
  type ProbeSummary,
  updateServed,
} from '../policy/serving/served.ts';
import { judgeTargets } from '../policy/serving/served-targets.ts';
import { describeError, toError } from '../ports/errors.ts';
import type { ServedWord } from '../state/delivery.ts';
import type { ProbeInvocation, ProbePorts } from './invocation.ts';
import { observe } from './observations.ts';
import { type CertificateToProbe, type ProbeSelection, selectForProbe } from './selection.ts';

/** One certificate's entry in the answer. `skip`: there is nothing to look for. Delivered and served are two things: the one
 *  says where the certificate was brought, the other what a visitor gets. */
export interface ProbeReport {
  readonly name: string;
  readonly version?: string;
  /** Whether the version is in every cluster Secret it is to go to; true where it is to go to none. */
  readonly delivered?: boolean;
  readonly served: ServedWord | 'skip' | 'failed';
  readonly message: string;
  readonly addresses: readonly ProbeResult[];
  /** How many addresses were not looked at, because there are too many; absent where that is none. */
  readonly unlooked?: number;
}

/** Looks at every certificate asked for, all addresses of all of them side by side. May be run twice. A certificate of which
 *  something else is served is no failure: it is in the report, the state and the log. `failures` has one entry for each
 *  certificate that could not be looked at to the end; what was known of it stays.
 *  @throws StoreError where the store cannot be listed. */
export async function probeCertificates(
  ports: ProbePorts,
  invocation: ProbeInvocation,
): Promise<{ readonly certificates: readonly ProbeReport[]; readonly failures: readonly Error[] }> {
  const startedAt = ports.clock.now().getTime();
  const selections = await selectForProbe(ports, invocation);
  const selected = selections.filter((selection) => selection.kind === 'selected');
  const observations = await observe(selected, ports, invocation.signal);
  const failures: Error[] = [];
  const certificates = await Promise.all(
    selections.map(async (selection): Promise<ProbeReport> => {
      const { name } = selection;
      try {
        if (selection.kind === 'failed') throw selection.error;
        if (selection.kind === 'skipped') return skip(selection);
        const seen = observations.get(selection);
        if (!seen)
          throw new Error('the run ended before every address was looked at; the next one looks again');
        return await record(selection, judgeServed(selection.fingerprint, seen), ports, invocation);
      } catch (cause) {
        const error = new Error(`${name}: ${describeError(toError(cause))}`, { cause });
        failures.push(error);
        ports.log.error('certificate not probed', { certificate: name, problem: error.message });
        return { name, served: 'failed', message: error.message, addresses: [] };
      }
    }),
  );
  ports.log.info('probe finished', {
    certificates: certificates.length,
    failed: failures.length,
    // Absent where the pass was over everything: its silence raises an alarm (infra/alarms.yml).
    asked: invocation.certificates?.length,
    ms: ports.clock.now().getTime() - startedAt,
  });
  return { certificates, failures };
}

function skip({ name, message }: Extract<ProbeSelection, { kind: 'skipped' }>): ProbeReport {
  return { name, served: 'skip', message, addresses: [] };
}

/** Notes what was seen where that is news, logs it, and sums up. */
async function record(
  { name, version, isDelivered, state, probe, targets }: CertificateToProbe,
  { served, message, results, unlooked }: ProbeSummary,
  { store, clock, log }: ProbePorts,
  { staleAfterMs, cleanUpSignal }: ProbeInvocation,
): Promise<ProbeReport> {
  const at = clock.now();
  const { change, isNews, notServedSince } = updateServed(state, {
    version,
    served,
    targets: judgeTargets(results, targets, probe),
    isDelivered,
    at,
  });
  const fields = {
    certificate: name,
    version,
    served,
    problem: message,
    since: notServedSince,
    unlooked,
  };
  const isLate = notServedSince !== undefined && at.getTime() - notServedSince.getTime() >= staleAfterMs;
  if (isOther(served) && isLate) log.error('certificate not served', fields);
  else if (isOther(served) && notServedSince) log.warn('certificate not served yet', fields);
  else if (isNews && served === 'served')
    log.info('certificate served', { certificate: name, version, unlooked });
  else if (isNews) log.warn('certificate not seen served', fields);
  if (change) await store.record(name, change, cleanUpSignal);
  const report = { name, version, delivered: isDelivered, served, message, addresses: results };
  return unlooked === undefined ? report : { ...report, unlooked };
}
