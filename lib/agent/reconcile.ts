// One pass of an agent: the cluster is awaited, its certificates are delivered and looked at, and the agent says it lives.
import { poll } from '../async/poll.ts';
import type { AgentRegistry } from '../ports/agents.ts';
import type { Clock } from '../ports/clock.ts';
import { ClusterError, type ConnectCluster } from '../ports/cluster.ts';
import { describeError, toError } from '../ports/errors.ts';
import type { Log } from '../ports/log.ts';

export interface AgentPorts {
  readonly connect: ConnectCluster;
  readonly registry: AgentRegistry;
  /** Delivers everything there is to deliver, and gives what failed. */
  readonly deliver: () => Promise<readonly Error[]>;
  /** Looks at what is served, and gives what failed. */
  readonly probe: () => Promise<readonly Error[]>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface AgentInvocation {
  readonly cluster: string;
  /** Of the agent, for its record. */
  readonly version: string;
  /** A Secret to ask for, by which the API server is found to answer; absent: nothing goes to this cluster. */
  readonly reachableBy?: { readonly namespace: string; readonly secret: string } | undefined;
  readonly signal: AbortSignal;
  readonly cleanUpSignal: AbortSignal;
}

/** Waits between two tries to reach the API server, in milliseconds, and how long that goes on. */
const retryMs = 200;
const longestWaitMs = 60_000;

/** What failed; nothing where everything is delivered or waits for no one here. The agent's record says so too, even where
 *  all else failed. Never rejects, and may be called again at once. */
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

/** A pod may run before the network to the API server does. Any answer will do: what it says is for delivery to tell. */
async function waitUntilReachable(
  { connect, clock, log }: AgentPorts,
  { cluster: name, reachableBy, signal }: AgentInvocation,
) {
  if (!reachableBy) return;
  const look = async (): Promise<Error | undefined> => {
    const cluster = await connect(name, signal);
    try {
      await cluster.readSecret(reachableBy.namespace, reachableBy.secret, signal);
      return undefined;
    } catch (error) {
      const isSilent = error instanceof ClusterError && ['Unreachable', 'Unavailable'].includes(error.code);
      if (!isSilent) return undefined;
      log.debug('API server awaited', { problem: error.message });
      return error;
    } finally {
      await cluster.close();
    }
  };
  const untilMs = clock.now().getTime() + longestWaitMs;
  const polled = await poll(look, (silence) => silence === undefined, {
    clock,
    signal,
    pauseMs: () => retryMs,
    untilMs,
  });
  if (polled.kind === 'aborted') throw signal.reason;
  if (polled.seen !== undefined) throw polled.seen;
}
