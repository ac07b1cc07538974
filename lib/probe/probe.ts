// The probe story: probes the names of each certificate, records the result and logs what is wrong.

import {
  isOtherCertificate,
  judgeServed,
  type ProbeResult,
  type ProbeSummary,
  updateServed,
} from '../policy/serving/served.ts';
import { judgeTargets } from '../policy/serving/served-targets.ts';
import { errorOfPart, wordsOf } from '../ports/errors.ts';
import { RequestError } from '../requests/errors.ts';
import type { ServedWord } from '../state/delivery.ts';
import type { ProbeInvocation, ProbePorts } from './invocation.ts';
import { observe } from './observations.ts';
import { type CertificateToProbe, type ProbeSelection, selectForProbe } from './selection.ts';

/** One certificate's entry in the answer. `delivered` says whether its targets hold it, `served` what a
 *  client gets.
 *  `served` is `skip` if there is nothing to probe, and `failed` if the probe was not completed. */
export interface ProbeReport {
  readonly name: string;
  readonly version?: string;
  /** Whether every target holds the version; true if the certificate has no target. */
  readonly delivered?: boolean;
  readonly served: ServedWord | 'skip' | 'failed';
  readonly message: string;
  /** Since when another certificate has been seen, which stands until somebody sees the current one. */
  readonly since?: Date;
  readonly addresses: readonly ProbeResult[];
  /** How many addresses were not probed, because there are too many; absent if all were. */
  readonly unlooked?: number;
}

/** Probes the requested certificates, all addresses at the same time. May run twice.
 *  A certificate that is not served is not a failure: the report, its state and the log say so.
 *  `failures` has one error for each certificate whose probe was not completed; its recorded state stays as
 *  it was.
 *  @throws StoreError if the store cannot be listed. */
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
        const own = observations.get(selection);
        if (!own)
          throw new RequestError(
            'Deadline',
            'time ran out before every address was probed; the next run probes again',
          );
        return await record(selection, judgeServed(selection, own), ports, invocation);
      } catch (cause) {
        const error = errorOfPart(name, cause);
        failures.push(error);
        ports.log.error('certificate not probed', { certificate: name, problem: error.message });
        return { name, served: 'failed', message: wordsOf(error), addresses: [] };
      }
    }),
  );
  ports.log.info('probe finished', {
    certificates: certificates.length,
    failed: failures.length,
    // Absent for a pass over everything, so that a filter can count those.
    asked: invocation.certificates?.length,
    ms: ports.clock.now().getTime() - startedAt,
  });
  return { certificates, failures };
}

function skip({ name, message }: Extract<ProbeSelection, { kind: 'skipped' }>): ProbeReport {
  return { name, served: 'skip', message, addresses: [] };
}

/** Records the result if it differs from what is recorded, logs it, and returns the certificate's entry. */
async function record(
  { name, version, isDelivered, state, probe, targets }: CertificateToProbe,
  { served, message, results, unlooked }: ProbeSummary,
  { store, clock, log }: ProbePorts,
  { staleAfterMs, cleanUpSignal }: ProbeInvocation,
): Promise<ProbeReport> {
  const at = clock.now();
  const { change, hasChanged, notServedSince } = updateServed(state, {
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
  if (isOtherCertificate(served) && isLate) log.error('certificate not served', fields);
  else if (isOtherCertificate(served) && notServedSince) log.warn('certificate not served yet', fields);
  else if (hasChanged && served === 'served')
    log.info('certificate served', { certificate: name, version, unlooked });
  else if (hasChanged) log.warn('certificate not seen served', fields);
  if (change) await store.record(name, change, cleanUpSignal);
  const stands = served === 'unprobed' && notServedSince ? '; what was seen before stands' : '';
  return {
    name,
    version,
    delivered: isDelivered,
    served,
    message: message + stands,
    addresses: results,
    ...(notServedSince && { since: notServedSince }),
    ...(unlooked !== undefined && { unlooked }),
  };
}
