// The agent, no Lambda function: runs inside a cluster that nobody reaches from outside, and delivers there what issue has
// signed for it.
import { randomUUID } from 'node:crypto';
import { connectSecretsManager } from '../lib/adapters/secrets-manager/connection.ts';
import { guardCluster } from '../lib/agent/guarded-cluster.ts';
import { repeatPasses } from '../lib/agent/loop.ts';
import { runPass } from '../lib/agent/pass.ts';
import { Returns } from '../lib/agent/returns.ts';
import { cutInventory } from '../lib/agent/scope.ts';
import { VerifiedStore } from '../lib/agent/verified-store.ts';
import type { ClusterSignIn } from '../lib/certificate/cluster-spec.ts';
import { isSecretTarget } from '../lib/certificate/spec.ts';
import { deployCertificates } from '../lib/deploy/deploy.ts';
import type { ConnectCluster } from '../lib/ports/cluster.ts';
import { describeError, toError } from '../lib/ports/errors.ts';
import { createLook } from '../lib/probe/look.ts';
import { probeCertificates } from '../lib/probe/probe.ts';
import { type AgentSettings, readAgentSettings } from '../lib/settings/agent.ts';
import { beginInvocation, systemClock } from './runtime/invocation.ts';
import { connectClusters } from './wiring/clusters.ts';
import { connectLook } from './wiring/look.ts';

/** How long the pass under way may go on once the agent is told to end. */
const graceMs = 20_000;

/** Runs one pass, or passes until `stop` where there is an interval; or, for the argument `deregister`, only says that the
 *  agent is no longer wanted. Gives whether all went well. @throws ConfigError for settings or an inventory to mend. */
export async function runAgent(args: readonly string[], stop: AbortSignal): Promise<boolean> {
  const settings = readAgentSettings(process.env);
  if (args[0] === 'deregister') return deregister(settings);
  const cut = cutAfter(stop, graceMs);
  const { intervalMs, longestRetryMs } = settings;
  if (intervalMs === undefined) return pass(settings, cut);
  const isolated = () => pass(settings, cut).catch(report);
  const options = { intervalMs, longestRetryMs, clock: systemClock, random: Math.random, stop };
  await repeatPasses(isolated, options);
  return true;
}

/** One pass from settings and inventory as they are now. */
async function pass(own: AgentSettings, cut: AbortSignal): Promise<boolean> {
  const { cluster, publicKeys, passMs, version } = own;
  const context = { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => passMs };
  const invocation = await beginInvocation(context);
  const { settings, clock, log, cleanUpSignal } = invocation;
  const signal = AbortSignal.any([invocation.signal, cut]);
  const inventory = cutInventory(invocation.inventory, cluster, accessOf(own));
  const secrets = connectSecretsManager({ prefix: settings.prefix, uuid: randomUUID });
  const names = inventory.certificates.map(({ name }) => name);
  const reader = { cluster, publicKeys, names, lists: inventory.registration !== undefined };
  const store = new VerifiedStore(secrets.certificates, reader, log);
  const plain = connectClusters({ ...invocation, inventory }, secrets);
  const returns = new Returns(reader);
  const connect: ConnectCluster = async (name, ended) =>
    guardCluster(await plain(name, ended), (certificate) => store.statementOf(certificate), returns);
  const run = { inventory, signal, cleanUpSignal };
  const look = connectLook(settings);
  try {
    const failures = await runPass(
      {
        connect: plain,
        registry: secrets.agents,
        deliver: async () => {
          const lookAtServed = createLook(look);
          const { readText, installation } = secrets;
          const judgeReturn = returns.judge;
          const reached = { store, connect, connectAcm, readText, installation };
          const ports = { ...reached, lookAtServed, judgeReturn, clock, log };
          const delivered = await deployCertificates(ports, run);
          return [...delivered.failures.values()].flat();
        },
        probe: async () => {
          const { staleAfterMs } = settings;
          const ports = { store, ...look, clock, log };
          return (await probeCertificates(ports, { ...run, staleAfterMs })).failures;
        },
        clock,
        log,
      },
      {
        cluster,
        version,
        knock: inventory.certificates.flatMap(({ targets }) => targets).find(isSecretTarget),
        signal,
        cleanUpSignal,
      },
    );
    return failures.length === 0;
  } finally {
    secrets.close();
  }
}

/** As the pod's service account, unless the settings say otherwise. */
function accessOf({ kubeconfig, serviceAccount }: AgentSettings): ClusterSignIn {
  if (kubeconfig !== undefined) return { kubeconfig: { file: kubeconfig } };
  return { inCluster: serviceAccount === undefined ? true : { folder: serviceAccount } };
}

/** The agent's part of the inventory has no such target. */
async function connectAcm(): Promise<never> {
  throw new Error('an agent brings nothing to AWS Certificate Manager; deploy does');
}

async function deregister({ cluster, version, passMs }: AgentSettings): Promise<boolean> {
  const context = { awsRequestId: randomUUID(), getRemainingTimeInMillis: () => passMs };
  const { settings, clock, log, signal } = await beginInvocation(context);
  const secrets = connectSecretsManager({ prefix: settings.prefix, uuid: randomUUID });
  try {
    const now = clock.now();
    await secrets.agents.note({ cluster, version, lastSeen: now, deregistered: now }, signal);
    log.info('agent deregistered', { cluster });
    return true;
  } finally {
    secrets.close();
  }
}

/** A signal that is aborted some time after another one. */
function cutAfter(stop: AbortSignal, ms: number): AbortSignal {
  const cut = new AbortController();
  const end = () => setTimeout(() => cut.abort(new Error('the agent was told to end')), ms).unref();
  if (stop.aborted) end();
  stop.addEventListener('abort', end, { once: true });
  return cut.signal;
}

/** Where not even a log could be made. */
function report(error: unknown): false {
  console.error(JSON.stringify({ level: 'ERROR', message: describeError(toError(error)) }));
  return false;
}

if (import.meta.main) {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  // Not awaited: what is loaded later imports this script, and would wait for its end.
  void runAgent(process.argv.slice(2), stop.signal)
    .catch(report)
    .then((isDone) => {
      process.exitCode = isDone ? 0 : 1;
    });
}
