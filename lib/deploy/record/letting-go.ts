// Records that nothing of a certificate that is let go has to be done any more at the targets of this
// function.
import type { SecretTarget } from '../../certificate/spec.ts';
import { isAgentCluster } from '../../policy/delivery/agents.ts';
import { nameTarget } from '../../policy/delivery/secret-plan.ts';
import { describeLetGo } from '../../policy/retirement/retirement.ts';
import { describeError, errorOfPart, toError } from '../../ports/errors.ts';
import type { DeployInvocation, DeployPorts } from '../invocation.ts';
import type { DeliverySelection } from '../plan/selected.ts';
import type { Pruned } from '../prune/apply.ts';
import { findPrunedClusters } from '../prune/plan.ts';
import type { RecordedCertificate } from './record.ts';

/** Records each certificate whose Secrets are deleted, or stay for good. One stays open while something uses
 *  a Secret of it, or could not be looked at. Returns the errors by certificate. Never rejects.
 *  @param pruned The results in all clusters that this invocation prunes. */
export async function recordLetGo(
  selections: readonly DeliverySelection[],
  pruned: readonly Pruned[],
  { store, log }: Pick<DeployPorts, 'store' | 'log'>,
  invocation: DeployInvocation,
): Promise<ReadonlyMap<string, Error>> {
  const failures = new Map<string, Error>();
  for (const { name, letGo } of selections) {
    if (!letGo || letGo.isRecorded) continue;
    if (!isDone(name, letGo.pruned, pruned, invocation)) continue;
    try {
      await store.record(name, { deployed: describeLetGo(letGo.version) }, invocation.cleanUpSignal);
      log.info('certificate let go', { certificate: name, version: letGo.version });
    } catch (cause) {
      const error = toError(cause);
      log.error('state not recorded', { certificate: name, problem: describeError(error) });
      failures.set(name, error);
    }
  }
  return failures;
}

/** The recorded certificates, each with its error of `recordLetGo`. */
export function addLetGoFailures(
  recorded: readonly RecordedCertificate[],
  errors: ReadonlyMap<string, Error>,
): readonly RecordedCertificate[] {
  return recorded.map(({ report, failures }) => {
    const error = errors.get(report.name);
    return { report, failures: error ? [...failures, errorOfPart(report.name, error)] : failures };
  });
}

function isDone(
  certificate: string,
  secrets: readonly SecretTarget[] | 'unknown',
  pruned: readonly Pruned[],
  invocation: DeployInvocation,
): boolean {
  const clusters = findPrunedClusters(invocation);
  const isElsewhere = (cluster: string) => !clusters.includes(cluster);
  const open = pruned.filter(({ report, isUsed }) => report.outcome === 'pending' || isUsed === true);
  if (secrets === 'unknown') {
    // Nobody knows where it was delivered, so every place that could not be looked at counts.
    const prunes = Object.values(invocation.inventory.clusters).some(({ prune }) => prune !== undefined);
    const isHere = ({ report }: Pruned) => (report.certificate ?? certificate) === certificate;
    return !(prunes && clusters.length === 0) && !open.some(isHere);
  }
  return secrets.every((target) => {
    if (isAgentCluster(target.cluster, invocation.inventory)) return true;
    if (isElsewhere(target.cluster)) return false;
    const places = [target.cluster, `${target.cluster}/${target.namespace}`, nameTarget(target)];
    return !open.some(({ report }) => places.includes(report.target));
  });
}
