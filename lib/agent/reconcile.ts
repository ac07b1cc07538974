// One pass of an agent: waits for the API server, delivers, probes, and records that the agent is alive.
import { poll } from '../async/poll.ts';
import type { AgentRegistry } from '../ports/agents.ts';
import type { Clock } from '../ports/clock.ts';
import { ClusterError, type ConnectCluster } from '../ports/cluster.ts';
import { describeError, toError } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';

/** The ports of one pass. */
export interface AgentPorts {
  readonly connect: ConnectCluster;
  readonly registry: AgentRegistry;
  /** Delivers everything for the cluster; resolves with one error per failure. */
  readonly deliver: () => Promise<readonly Error[]>;
  /** Probes what is served; resolves with one error per failure. */
  readonly probe: () => Promise<readonly Error[]>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One pass: the cluster, and the signals that end it. */
export interface AgentInvocation {
  /** Key of `Inventory.clusters`. */
  readonly cluster: string;
  /** Version of the agent, for its record. */
  readonly version: string;
  /** A Secret to read, to find out whether the API server answers; absent if nothing goes to this cluster. */
  readonly reachableBy?: { readonly namespace: string; readonly secret: string } | undefined;
  readonly signal: AbortSignal;
  /** Aborts later than `signal`: the agent's record is still written with it. */
  readonly cleanUpSignal: AbortSignal;
}

/** Wait between two tries to reach the API server, and how long to try. */
const retryMs = 200;
const longestWaitMs = 60_000;

/** Runs one pass. Resolves with one error per failure; empty if nothing failed. Writes the agent's record
 *  in any case, with the first failure as `problem`. Never rejects, and may be called again at once. */
export async function reconcile(ports: AgentPorts, invocation: AgentInvocation): Promise<readonly Error[]> {
  const { registry, clock, log } = ports;
  const startedAt = clock.now().getTime();
  const failures: Error[] = [];
  try {
    await waitUntilReachable(ports, invocation);
    failures.push(...(await ports.deliver()));
    failures.push(...(await ports.probe()));
  } catch (error) {
    failures.push(toError(error));
  }
  for (const error of failures) log.error('agent failed', { problem: describeError(error) });
  const { cluster, version } = invocation;
  const problem = failures[0] && describeError(failures[0]);
  try {
    await registry.record({ cluster, version, problem, lastSeen: clock.now() }, invocation.cleanUpSignal);
  } catch (error) {
    log.error('agent not recorded', { problem: describeError(error) });
    failures.push(toError(error));
  }
  log.info('agent reconciled', { failed: failures.length, ms: clock.now().getTime() - startedAt });
  return failures;
}

/** Polls until the API server answers, because a pod may start before its network does. Any answer counts,
 *  even an error: the delivery reports that.
 *  @throws ClusterError of the last try if there is no answer within a minute. */
async function waitUntilReachable(
  { connect, clock, log }: AgentPorts,
  { cluster: name, reachableBy, signal }: AgentInvocation,
) {
  if (!reachableBy) return;
  const connectOnce = async (): Promise<Error | undefined> => {
    const cluster = await connect(name, signal);
    try {
      await cluster.readSecret(reachableBy.namespace, reachableBy.secret, signal);
      return undefined;
    } catch (error) {
      if (signal.aborted) throw isTimeout(signal.reason) ? createSilence(name) : signal.reason;
      const isSilent = error instanceof ClusterError && ['Unreachable', 'Unavailable'].includes(error.code);
      if (!isSilent) return undefined;
      log.debug('API server awaited', { problem: error.message });
      return error;
    } finally {
      await cluster.close();
    }
  };
  const untilMs = clock.now().getTime() + longestWaitMs;
  const polled = await poll(connectOnce, (failure) => failure === undefined, {
    clock,
    signal,
    pauseMs: () => retryMs,
    untilMs,
  });
  if (polled.kind === 'aborted') throw isTimeout(signal.reason) ? createSilence(name) : signal.reason;
  if (polled.seen !== undefined) throw polled.seen;
}

/** Whether the time of the pass is up; else somebody has asked the agent to end. */
function isTimeout(reason: unknown): boolean {
  return reason instanceof Error && reason.name === 'TimeoutError';
}

function createSilence(cluster: string): ClusterError {
  const message = `the API server of cluster ${cluster} did not answer in the time of this pass: check it, and what is between; the next pass tries again`;
  return new ClusterError('Unreachable', message);
}
