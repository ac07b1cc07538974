// What is served: by the pods that are ready, with the certificates that they carry.
import type { ProbeResult, ProbeSummary } from '../../lib/policy/serving/served.ts';
import type { ServedQuery } from '../../lib/ports/probe.ts';
import { concernedBy, type JudgedSimulation, targetsIn } from './rules.ts';

/** Probes the addresses of a certificate's targets. */
export function probePods({ probe, fingerprint }: ServedQuery, simulation: JudgedSimulation): ProbeSummary {
  const { clock, clusters, ledger, options } = simulation;
  const { addresses = [], targetAddresses = [] } = probe;
  const asked = [...addresses, ...targetAddresses].map(({ address }) => address);
  const expected = ledger.ofFingerprint(fingerprint);
  const results = targetsIn(options).flatMap(({ certificate, target }): readonly ProbeResult[] => {
    const [first] = target.addresses ?? [];
    if (!first || !asked.includes(first.address) || certificate !== expected?.certificate) return [];
    clusters.get(target.cluster)?.advance();
    const pods = concernedBy(target, simulation)
      .flatMap(([, workload]) => workload.pods)
      .filter(({ readyAt }) => readyAt <= clock.now);
    const isServed = pods.every(({ carries }) => ledger.ofValue(carries[target.secret]) === expected);
    const served = pods.length === 0 ? 'unreachable' : isServed ? 'served' : 'stale';
    return [{ name: 'simulated', address: first.address, served, message: `it is ${served}` }];
  });
  const worst = (['stale', 'unreachable', 'served'] as const).find((word) =>
    results.some(({ served }) => served === word),
  );
  return { served: worst ?? 'unprobed', message: `${results.length} probed`, results };
}
