// Probes what is served right after a delivery is complete, and records it as the probe function does.

import { isOtherCertificate, updateServed } from '../../policy/serving/served.ts';
import { judgeTargets } from '../../policy/serving/served-targets.ts';
import { describeError, toError } from '../../ports/errors.ts';
import type { ServedWord } from '../../state/delivery.ts';
import type { DeployInvocation, DeployPorts } from '../invocation.ts';
import type { CertificateToDeliver } from '../plan/selected.ts';

/** What is served; `undefined` if the certificate is not probed or the probe failed. Any result is no failure
 *  of the delivery: load balancers need time, and the scheduled probe tries again. Never rejects. */
export async function probeOnce(
  { name, version, jobs, seen }: CertificateToDeliver,
  { store, probeServed, clock, log }: DeployPorts,
  invocation: DeployInvocation,
): Promise<ServedWord | undefined> {
  const [job] = jobs;
  if (!job || job.probe === false) return undefined;
  const { facts, probe, delivery } = job;
  const targets = jobs.map(({ target }) => target);
  try {
    const { names, keyType } = facts;
    const query = { names, keyType, probe, fingerprint: delivery.fingerprint };
    const { served, message, results, unlooked } = await probeServed(query, invocation.signal);
    const { change } = updateServed(seen, {
      version,
      served,
      targets: judgeTargets(results, targets, probe),
      isDelivered: true,
      at: clock.now(),
    });
    const fields = { certificate: name, version, served, unlooked };
    if (served === 'served') log.info('certificate served', fields);
    else if (isOtherCertificate(served))
      log.warn('certificate not served yet', { ...fields, problem: message });
    if (change) await store.record(name, change, invocation.cleanUpSignal);
    return served;
  } catch (error) {
    log.warn('certificate not probed', { certificate: name, problem: describeError(toError(error)) });
    return undefined;
  }
}
