// Clusters that only an agent in them reaches: what is to be signed for them, and what their agents report.
import {
  type CertificateSpec,
  type Inventory,
  isSecretTarget,
  type SecretTarget,
  type TargetSpec,
} from '../../certificate/spec.ts';
import { readStatement, type StatementSummary } from '../../certificate/statement.ts';
import { registeredSpec, type StoredSpec } from '../../certificate/stored.ts';
import type { AgentReport, DeliveryPhase, Freeze, Resumption } from '../../state/delivery.ts';
import type { ByCluster, CertificateState } from '../../state/state.ts';
import { permissionsKey } from '../../state/targets.ts';
import { phasesOf, withoutRetry } from './progress.ts';

/** The clusters among those of the targets that only an agent reaches, each once. */
export function agentClusters(
  targets: readonly TargetSpec[],
  { clusters }: Pick<Inventory, 'clusters'>,
): readonly string[] {
  const names = targets
    .filter(isSecretTarget)
    .map(({ cluster }) => cluster)
    .filter((name) => isAgentCluster(name, { clusters }));
  return [...new Set(names)];
}

/** Those of the targets that are in the cluster. */
export function targetsIn(targets: readonly TargetSpec[], cluster: string): readonly SecretTarget[] {
  return targets.filter(isSecretTarget).filter((target) => target.cluster === cluster);
}

/** Whether only an agent reaches that cluster. */
export function isAgentCluster(name: string, { clusters }: Pick<Inventory, 'clusters'>): boolean {
  const spec = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
  return spec !== undefined && 'agent' in spec;
}

/** How far each target has come with the version: what `deploy` has noted, and of clusters that only an agent reaches what
 *  that has reported. */
export function reachedPhases(
  { deployed, reports }: Pick<CertificateState, 'deployed' | 'reports'>,
  version: string,
  targets: readonly TargetSpec[],
  inventory: Pick<Inventory, 'clusters'>,
): readonly DeliveryPhase[] {
  const noted = phasesOf(deployed, version, targets);
  return targets.map((target, index) => {
    if (!isSecretTarget(target) || !isAgentCluster(target.cluster, inventory)) return noted[index] ?? 'none';
    const own = targetsIn(targets, target.cluster);
    const report = reports?.[target.cluster];
    return phasesOf(report?.deployed, version, own)[own.indexOf(target)] ?? 'none';
  });
}

/** What a statement is to be about in one cluster. */
export interface AgentRecipient {
  readonly cluster: string;
  /** Of a registered certificate: what its targets there may do (`permissionsKey`). */
  readonly targets?: string | undefined;
}

/** The clusters of a specification that only an agent reaches, with what is to be stated there. */
export function recipientsOf(
  spec: CertificateSpec | StoredSpec,
  inventory: Pick<Inventory, 'clusters'>,
): readonly AgentRecipient[] {
  const { targets } = spec;
  return agentClusters(targets, inventory).map((cluster) => {
    const isRegistered = registeredSpec(spec) !== undefined;
    return isRegistered ? { cluster, targets: permissionsKey(targetsIn(targets, cluster)) } : { cluster };
  });
}

/** What is to be signed and what is to be taken back, for one certificate. */
export interface SigningPlan {
  /** `isRollback`: an older certificate takes the place of one that was stated before. */
  readonly sign: readonly (AgentRecipient & { readonly isRollback: boolean })[];
  /** Clusters that the certificate no longer goes to. */
  readonly clear: readonly string[];
}

/** @param recipients Where the current version goes.
 *  @param isTrusted Whether what was signed for a cluster still holds; what does not is signed anew. */
export function planSigning(
  recipients: readonly AgentRecipient[],
  current: Pick<StatementSummary, 'version' | 'notBefore'>,
  signatures: ByCluster<string> = {},
  isTrusted: (cluster: string) => boolean = () => true,
): SigningPlan {
  return {
    sign: recipients.flatMap((one) => {
      const before = readStatement(signatures[one.cluster]);
      const isSame = before?.version === current.version;
      if (isSame && before.targets === one.targets && isTrusted(one.cluster)) return [];
      const isOlder = before !== undefined && current.notBefore < before.notBefore;
      return [{ ...one, isRollback: isSame ? before.isRollback : isOlder }];
    }),
    clear: Object.keys(signatures).filter((cluster) => !recipients.some((one) => one.cluster === cluster)),
  };
}

/** What of the reason there is room for: the agent's log has the whole of it. */
const longestReason = 60;

/** A freeze as an agent's report tells it. */
export function shortenFreeze({ version, target, reason }: Freeze): Freeze {
  return { version, target, reason: reason.replace(/[^ -~]/g, '?').slice(0, longestReason) };
}

/** The report as it counts: without its freeze and its wait where a person has resumed that version since. An agent that freezes
 *  the version again says which `resume` it had followed, so that none is followed twice. */
export function applyResumption(
  report: AgentReport | undefined,
  resumed: Resumption | undefined,
): AgentReport {
  if (!report || !resumed || report.freeze?.version !== resumed.version) return report ?? {};
  if (report.resumedAt?.getTime() === resumed.at.getTime()) return report;
  const { freeze: _, deployed, ...rest } = report;
  return { ...rest, ...(deployed && { deployed: withoutRetry(deployed) }), resumedAt: resumed.at };
}

/** What agents freeze, as their reports count. */
export function frozenByAgents({
  reports = {},
  resumed,
}: Pick<CertificateState, 'reports' | 'resumed'>): readonly Freeze[] {
  return Object.values(reports).flatMap((report) => applyResumption(report, resumed).freeze ?? []);
}
