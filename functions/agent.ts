// The agent. It is no Lambda function: it runs inside a cluster that nobody reaches from outside, and
// delivers there the versions that `issue` signed for it.
import { randomUUID } from 'node:crypto';
import { ClusterMemory } from '../lib/agent/cluster-memory.ts';
import { repeatReconcile } from '../lib/agent/loop.ts';
import { reconcile } from '../lib/agent/reconcile.ts';
import { type AgentSettings, readAgentSettings } from '../lib/settings/agent.ts';
import { defineFunction, type Handler, reportFailure } from './runtime/define-function.ts';
import { systemClock } from './runtime/invocation.ts';
import { connectAgent } from './wiring/agent.ts';
import { openSecrets } from './wiring/secrets.ts';

/** How long the current reconcile may continue after the agent is asked to end. */
const graceMs = 20_000;

/** Reconciles once, or with an interval repeatedly until `stop`. With the argument `deregister` it only
 *  records that the agent is gone. Returns whether everything succeeded. Logs every failure and never
 *  rejects. */
export async function runAgent(args: readonly string[], stop: AbortSignal): Promise<boolean> {
  try {
    const own = readAgentSettings(process.env);
    const isLast = args[0] === 'deregister';
    const call = isLast ? defineDeregister(own) : definePass(own, cutAfter(stop, graceMs));
    const context = () => ({ awsRequestId: randomUUID(), getRemainingTimeInMillis: () => own.passMs });
    const pass = () =>
      call(undefined, context()).then(
        (isDone) => isDone === true,
        () => false,
      );
    const { intervalMs, longestRetryMs } = own;
    if (isLast || intervalMs === undefined) return pass();
    const options = { intervalMs, longestRetryMs, clock: systemClock, random: Math.random, stop };
    await repeatReconcile(pass, options);
    return true;
  } catch (error) {
    reportFailure(error, randomUUID());
    return false;
  }
}

/** One reconcile, with the inventory read at its start; `cut` ends it early. */
function definePass(own: AgentSettings, cut: AbortSignal): Handler<boolean> {
  const memory = new ClusterMemory();
  return defineFunction({
    parse: () => own,
    connect(invocation, closing) {
      const signal = AbortSignal.any([invocation.signal, cut]);
      return connectAgent(own, { ...invocation, signal }, closing, memory);
    },
    async run(_own, { ports, run }) {
      const failures = await reconcile(ports, run);
      return { answer: failures.length === 0 };
    },
  });
}

function defineDeregister({ cluster, version }: AgentSettings): Handler<boolean> {
  return defineFunction({
    parse: () => cluster,
    connect: (invocation, closing) => openSecrets(invocation, closing).agents,
    async run(_cluster, agents, { clock, log, signal }) {
      const now = clock.now();
      await agents.record({ cluster, version, lastSeen: now, deregistered: now }, signal);
      log.info('agent deregistered', { cluster });
      return { answer: true };
    },
  });
}

/** A signal that is aborted `ms` milliseconds after `stop`. */
function cutAfter(stop: AbortSignal, ms: number): AbortSignal {
  const cut = new AbortController();
  const end = () => setTimeout(() => cut.abort(new Error('the agent was asked to end')), ms).unref();
  if (stop.aborted) end();
  stop.addEventListener('abort', end, { once: true });
  return cut.signal;
}

if (import.meta.main) {
  const stop = new AbortController();
  for (const name of ['SIGTERM', 'SIGINT'] as const) process.once(name, () => stop.abort());
  // Not awaited: scripts that are loaded later import this one and would wait for its end.
  void runAgent(process.argv.slice(2), stop.signal).then((isDone) => {
    process.exitCode = isDone ? 0 : 1;
  });
}
