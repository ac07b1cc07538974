// Clusters that are served by an agent: what to sign for them, and what their agents' reports mean.
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

/** The targets' clusters that are served by an agent, each once. */
function agentClusters(
  targets: readonly TargetSpec[],
  { clusters }: Pick<Inventory, 'clusters'>,
): readonly string[] {
  const names = targets
    .filter(isSecretTarget)
    .map(({ cluster }) => cluster)
    .filter((name) => isAgentCluster(name, { clusters }));
  return [...new Set(names)];
}

/** The targets that are Secrets of the cluster, in their order. */
export function targetsIn(targets: readonly TargetSpec[], cluster: string): readonly SecretTarget[] {
  return targets.filter(isSecretTarget).filter((target) => target.cluster === cluster);
}

/** Whether the inventory has the cluster and says `agent`: only an agent inside reaches it, `deploy` does
 *  not. */
export function isAgentCluster(name: string, { clusters }: Pick<Inventory, 'clusters'>): boolean {
  const spec = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
  return spec !== undefined && 'agent' in spec;
}

/** The phase of each target for the version. It comes from what `deploy` recorded, or for a cluster with
 *  an agent from what the agent reported; `none` if nothing is known. */
export function reachedPhases(
  { deployed, reports }: Pick<CertificateState, 'deployed' | 'reports'>,
  version: string,
  targets: readonly TargetSpec[],
  inventory: Pick<Inventory, 'clusters'>,
): readonly DeliveryPhase[] {
  const recorded = phasesOf(deployed, version, targets);
  return targets.map((target, index) => {
    if (!isSecretTarget(target) || !isAgentCluster(target.cluster, inventory))
      return recorded[index] ?? 'none';
    const own = targetsIn(targets, target.cluster);
    const report = reports?.[target.cluster];
    return phasesOf(report?.deployed, version, own)[own.indexOf(target)] ?? 'none';
  });
}

/** A cluster with an agent that gets a certificate, so a statement is signed for it. */
export interface AgentRecipient {
  readonly cluster: string;
  /** Only for a registered certificate: hash of its targets in the cluster and what they allow
   *  (`permissionsKey`). */
  readonly targets?: string | undefined;
}

/** The clusters with an agent that the specification's targets name, with what their statements must
 *  contain. */
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

/** What is signed for a cluster whose agent is to let a certificate go: it has no target there. */
export function withdrawnRecipient(cluster: string): AgentRecipient {
  return { cluster, targets: permissionsKey([]) };
}

/** Whether a statement says that, by its text: whoever trusts it verifies it. */
export function isWithdrawn(text: string | undefined): boolean {
  return readStatement(text)?.targets === permissionsKey([]);
}

/** Which statements of one certificate to sign and which to remove. */
export interface SigningPlan {
  /** `isRollback`: the certificate is older than the one in the statement before. */
  readonly sign: readonly (AgentRecipient & { readonly isRollback: boolean })[];
  /** Clusters whose statement is removed, because the certificate no longer goes there. */
  readonly clear: readonly string[];
}

/** Compares the recorded statements with where the current version goes. A cluster gets a new one if it has
 *  none that can be read, one for another version or other targets, or one that `isTrusted` rejects.
 *  @param recipients Where the current version goes.
 *  @param signatures The recorded statement of each cluster, as text.
 *  @param isTrusted Whether a cluster's recorded statement is still to be trusted. */
export function planSigning(
  recipients: readonly AgentRecipient[],
  current: Pick<StatementSummary, 'version' | 'notBefore'>,
  signatures: ByCluster<string> = {},
  isTrusted: (cluster: string) => boolean = () => true,
): SigningPlan {
  return {
    sign: recipients.flatMap((recipient) => {
      const before = readStatement(signatures[recipient.cluster]);
      const isSame = before?.version === current.version;
      if (isSame && before.targets === recipient.targets && isTrusted(recipient.cluster)) return [];
      const isOlder = before !== undefined && current.notBefore < before.notBefore;
      return [{ ...recipient, isRollback: isSame ? before.isRollback : isOlder }];
    }),
    clear: Object.keys(signatures).filter((name) => !recipients.some(({ cluster }) => cluster === name)),
  };
}

/** Characters of a reason that fit into an agent's report; its log has the whole reason. */
const longestReason = 60;

/** The freeze for an agent's report: its words in printable ASCII, 60 characters of the reason at most. */
export function shortenFreeze({ version, target, reason }: Freeze): Freeze {
  return { version, target: toAscii(target), reason: toAscii(reason).slice(0, longestReason) };
}

function toAscii(text: string): string {
  return text.replace(/[^ -~]/g, '?');
}

/** The report after the operator's last `resume`. If that resumes the version that the agent froze, the
 *  freeze and the wait are removed and `resumedAt` is set. A report with this `resumedAt` is returned as
 *  it is: the agent has followed that `resume` and froze the version again. */
export function applyResumption(
  report: AgentReport | undefined,
  resumed: Resumption | undefined,
): AgentReport {
  if (!report || !resumed || report.freeze?.version !== resumed.version) return report ?? {};
  if (report.resumedAt?.getTime() === resumed.at.getTime()) return report;
  const { freeze: _, deployed, ...rest } = report;
  return { ...rest, ...(deployed && { deployed: withoutRetry(deployed) }), resumedAt: resumed.at };
}

/** The freezes that agents report and no `resume` has ended. */
export function frozenByAgents({
  reports = {},
  resumed,
}: Pick<CertificateState, 'reports' | 'resumed'>): readonly Freeze[] {
  const freezes = Object.values(reports).flatMap((report) => applyResumption(report, resumed).freeze ?? []);
  // Whoever may write an agent's tags need not write as it does.
  return freezes.map(shortenFreeze);
}
