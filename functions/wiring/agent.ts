// Connects an agent: its cluster, the versions that `issue` signed for it, and the probe.

import type { ClusterMemory } from '../../lib/agent/cluster-memory.ts';
import type { AgentInvocation, AgentPorts } from '../../lib/agent/reconcile.ts';
import { guardCluster } from '../../lib/agent/replay-guard.ts';
import { RollbackGuard } from '../../lib/agent/rollback-guard.ts';
import { cutInventory } from '../../lib/agent/scope.ts';
import { VerifiedStore } from '../../lib/agent/verified-store.ts';
import type { ClusterSignIn } from '../../lib/certificate/cluster-spec.ts';
import { isSecretTarget } from '../../lib/certificate/spec.ts';
import { deployCertificates } from '../../lib/deploy/deploy.ts';
import type { DeployPorts } from '../../lib/deploy/invocation.ts';
import type { ConnectCluster } from '../../lib/ports/cluster.ts';
import { probeCertificates } from '../../lib/probe/probe.ts';
import { createProbeServed } from '../../lib/probe/probe-served.ts';
import type { AgentSettings } from '../../lib/settings/agent.ts';
import type { Closing } from '../runtime/define-function.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { connectClusters } from './clusters.ts';
import { connectProbe } from './probing.ts';
import { openSecrets } from './secrets.ts';

/** Ports and invocation of one reconcile; `own` are the agent's settings, `memory` what earlier ones of the
 *  process found out of the cluster. */
export function connectAgent(
  own: AgentSettings,
  whole: Invocation,
  closing: Closing,
  memory: ClusterMemory,
): { readonly ports: AgentPorts; readonly run: AgentInvocation } {
  const { settings, clock, log, signal, cleanUpSignal } = whole;
  const inventory = cutInventory(whole.inventory, own.cluster, signInOf(own));
  const secrets = openSecrets(whole, closing);
  const plain = connectClusters({ ...whole, inventory }, secrets);
  const probing = connectProbe(settings);
  const frame = { inventory, signal, cleanUpSignal };
  const { store, ...guarded } = guard(own, { ...whole, inventory }, secrets, plain);
  const ports: AgentPorts = {
    connect: plain,
    registry: secrets.agents,
    async deliver() {
      const { readText, installation } = secrets;
      const probeServed = createProbeServed(probing);
      const deployPorts = { store, ...guarded, connectAcm, readText, installation, probeServed, clock, log };
      const { failures } = await deployCertificates({ ...deployPorts, operations: memory }, frame);
      return [...failures.values()].flat();
    },
    async probe() {
      const { staleAfterMs } = settings;
      const probePorts = { store, ...probing, clock, log };
      return (await probeCertificates(probePorts, { ...frame, staleAfterMs })).failures;
    },
    clock,
    log,
  };
  const reachableBy = inventory.certificates.flatMap(({ targets }) => targets).find(isSecretTarget);
  return {
    ports,
    run: { cluster: own.cluster, version: own.version, reachableBy, signal, cleanUpSignal },
  };
}

/** A store and clusters that accept only versions signed for this agent. */
function guard(
  { cluster, publicKeys }: AgentSettings,
  { inventory, log }: Invocation,
  secrets: ReturnType<typeof openSecrets>,
  plain: ConnectCluster,
): Pick<DeployPorts, 'store' | 'connect' | 'judgeRollback'> {
  const names = inventory.certificates.map(({ name }) => name);
  const scope = { cluster, publicKeys, names, lists: inventory.registration !== undefined };
  const store = new VerifiedStore(secrets.certificates, scope, log);
  const rollbackGuard = new RollbackGuard(scope);
  return {
    store,
    connect: async (name, ended) =>
      guardCluster(await plain(name, ended), (certificate) => store.statementOf(certificate), rollbackGuard),
    judgeRollback: rollbackGuard.judge,
  };
}

/** Signs in as the pod's service account, unless the settings name a kubeconfig. */
function signInOf({ kubeconfig, serviceAccount }: AgentSettings): ClusterSignIn {
  if (kubeconfig !== undefined) return { kubeconfig: { file: kubeconfig } };
  return { inCluster: serviceAccount === undefined ? true : { folder: serviceAccount } };
}

/** Never called: the agent's part of the inventory has no target in ACM. */
async function connectAcm(): Promise<never> {
  throw new Error('agents do not deliver to AWS Certificate Manager; deploy does');
}
