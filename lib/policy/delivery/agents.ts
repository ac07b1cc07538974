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
import { type DeliveryStep, parseDeliveries, permissionsKey, withoutRetry } from '../../state/deliveries.ts';
import type { ByCluster, CertificateState } from '../../state/state.ts';
import { servedWords } from '../serving/served.ts';

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
export function reachedSteps(
  { deployed, reports }: Pick<CertificateState, 'deployed' | 'reports'>,
  version: string,
  targets: readonly TargetSpec[],
  inventory: Pick<Inventory, 'clusters'>,
): readonly DeliveryStep[] {
  const noted = parseDeliveries(deployed, version, targets);
  return targets.map((target, index) => {
    if (!isSecretTarget(target) || !isAgentCluster(target.cluster, inventory)) return noted[index] ?? 'none';
    const own = targetsIn(targets, target.cluster);
    const report = parseReport(reports?.[target.cluster]);
    return parseDeliveries(report.deployed, version, own)[own.indexOf(target)] ?? 'none';
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
  signatures: ByCluster = {},
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

/** What an agent says of one certificate in its cluster. */
export interface AgentReport {
  /** As `deliveries.ts` writes it, for the targets in that cluster. */
  readonly deployed?: string | undefined;
  /** What is served, seen from inside, as `CertificateState.served` says it behind the version; since when it is another certificate, and when that was looked at. */
  readonly served?: string | undefined;
  readonly notServedSince?: Date | undefined;
  readonly probedAt?: Date | undefined;
  /** The version that failed there and is not tried again, where and why, as `hold.ts` writes it. */
  readonly held?: string | undefined;
  /** When a person said the last `resume` that the agent has followed, ISO 8601. */
  readonly resumedAt?: string | undefined;
}

/** A version, a target, and what of the reason there is room for: the agent's log has the whole of it. */
const heldInShort = /^\S+ \S+ .{0,60}/;

/** `<deployed>@<served>@<notServedSince>@<probedAt>@!<resumedAt>!<held>`; what is absent is empty, and the last part not there
 *  at all. */
export function formatReport({
  deployed,
  served,
  notServedSince,
  probedAt,
  held = '',
  resumedAt,
}: AgentReport): string {
  const parts = [deployed, served, notServedSince?.toISOString(), probedAt?.toISOString()];
  const hold = heldInShort.exec(held.replace(/[^ -~]/g, '?'))?.[0] ?? '';
  const last = resumedAt === undefined ? hold : `!${resumedAt}!${hold}`;
  return [...parts.map((part) => part ?? ''), ...(last ? [last] : [])].join('@');
}

/** Text that cannot be read is a report of nothing: the agent writes it again. */
export function parseReport(text = ''): AgentReport {
  const [deployed, served, since, probed, ...rest] = text.split('@');
  const [, resumedAt, held] = /^(?:!([^!]*)!)?(.*)$/s.exec(rest.join('@')) ?? [];
  return {
    deployed: deployed || undefined,
    served: servedWords.some((word) => `${served}/`.startsWith(`${word}/`)) ? served : undefined,
    notServedSince: parseInstant(since),
    probedAt: parseInstant(probed),
    held: held || undefined,
    resumedAt: resumedAt || undefined,
  };
}

/** `CertificateState.resumed`: that a person wants the version delivered on. Agents hold by their own reports, which nobody
 *  else may write; this tag is how they hear of it. */
export function formatResumption(version: string, at: Date): string {
  return `${version}/${at.toISOString()}`;
}

/** The report as it counts: without its hold and its wait where a person has resumed that version since. An agent that holds
 *  the version again says which `resume` it had followed, so that none is followed twice. */
export function applyResumption(report: AgentReport, resumed: string | undefined): AgentReport {
  const [version = '', at] = resumed?.split('/') ?? [];
  if (!at || report.resumedAt === at || !report.held?.startsWith(`${version} `)) return report;
  return { ...report, held: undefined, deployed: withoutRetry(report.deployed), resumedAt: at };
}

/** What agents hold, as their reports count. */
export function frozenByAgents({
  reports = {},
  resumed,
}: Pick<CertificateState, 'reports' | 'resumed'>): readonly string[] {
  return Object.values(reports).flatMap((text) => applyResumption(parseReport(text), resumed).held ?? []);
}

function parseInstant(text = ''): Date | undefined {
  const instant = new Date(text);
  return text === '' || Number.isNaN(instant.getTime()) ? undefined : instant;
}
