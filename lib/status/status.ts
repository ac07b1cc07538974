// The status story: how everything stands, from list pages alone. It reads no value and changes nothing.

import type { AgentRegistry } from '../agent-ports.ts';
import type { Inventory } from '../certificate/spec.ts';
import type { StatusRequest } from '../events.ts';
import type { Log } from '../log.ts';
import { mostAnswerBytes, takeFitting } from '../policy/bounds.ts';
import { type CertificateHealth, type HealthWord, healthWords, judgeHealth } from '../policy/health.ts';
import type { CertificateStore, Clock, StoreEntry } from '../ports.ts';
import { type AgentStatus, judgeAgents } from './agents.ts';

export interface StatusPorts {
  readonly store: Pick<CertificateStore, 'list' | 'describe'>;
  readonly agents: Pick<AgentRegistry, 'list'>;
  /** The public key that agents are to trust; `undefined` where nothing has been signed yet. */
  readonly publicKey: (signal: AbortSignal) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly log: Log;
}

export interface StatusRun extends StatusRequest {
  readonly inventory: Inventory;
  /** How long another certificate may be served after delivery, and an agent be silent. */
  readonly staleAfterMs: number;
  readonly signal: AbortSignal;
}

/** What `status` answers. Holds no secrets. */
export interface StatusReport {
  /** How many certificates stand how. */
  readonly summary: Readonly<Record<HealthWord, number>>;
  /** What agents are given as CERTRELAY_SIGNING_KEY; absent before the first certificate that goes to one. */
  readonly signingKey?: string | undefined;
  readonly agents: readonly AgentStatus[];
  /** The worst first. Of more than `mostListed` the others are only counted, in `omitted`: Lambda answers 6 MB at most. */
  readonly certificates: readonly CertificateHealth[];
  readonly omitted?: number;
}

const mostListed = 2_000;

/** The report, and one error for each thing that a person must look at.
 *  @throws StoreError where the store cannot be listed. */
export async function describeStatus(
  ports: StatusPorts,
  run: StatusRun,
): Promise<{ readonly report: StatusReport; readonly problems: readonly Error[] }> {
  const { clock, log } = ports;
  const { inventory, staleAfterMs, signal } = run;
  const [entries, records, signingKey] = await Promise.all([
    findEntries(ports, run),
    ports.agents.list(signal),
    ports.publicKey(signal),
  ]);
  const now = clock.now();
  const specs = new Map(inventory.certificates.map((spec) => [spec.name, spec]));
  const names = run.certificates ?? [...new Set([...specs.keys(), ...entries.keys()])].toSorted();
  const { clusters } = inventory;
  const all = names.map((name) =>
    judgeHealth({ name, entry: entries.get(name), spec: specs.get(name), clusters }, now, staleAfterMs),
  );
  const byHealth = Map.groupBy(all, ({ health }) => health);
  const agents = judgeAgents(records, inventory, now, staleAfterMs);
  for (const { cluster, state, lastSeen, message } of agents) {
    if (state === 'stale') log.error('agent silent', { cluster, lastSeen, problem: message });
  }
  const sorted = healthWords.flatMap((word) => byHealth.get(word) ?? []);
  const listed = takeFitting(sorted.slice(0, mostListed), mostAnswerBytes);
  const omitted = sorted.length - listed.length;
  const count = (word: HealthWord) => byHealth.get(word)?.length ?? 0;
  const report: StatusReport = {
    summary: { failing: count('failing'), pending: count('pending'), well: count('well') },
    signingKey,
    agents,
    certificates: listed,
    ...(omitted > 0 ? { omitted } : {}),
  };
  const silent = agents.filter(({ state }) => state === 'stale' || state === 'failing');
  const problems = [
    ...silent.map(({ cluster, message }) => new Error(`agent of ${cluster}: ${message}`)),
    ...(byHealth.get('failing') ?? []).map(({ name, message }) => new Error(`${name}: ${message}`)),
  ];
  // Absent where it was over everything, as with the other passes.
  log.info('pass finished', { ...report.summary, agents: agents.length, asked: run.certificates?.length });
  return { report, problems };
}

async function findEntries(
  { store }: StatusPorts,
  { certificates, signal }: StatusRun,
): Promise<ReadonlyMap<string, StoreEntry>> {
  const found = certificates
    ? await Promise.all(certificates.map((name) => store.describe(name, signal)))
    : await store.list(signal);
  return new Map(found.flatMap((entry) => (entry ? [[entry.name, entry] as const] : [])));
}
