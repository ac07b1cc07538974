// The status story: reports the health of all certificates and agents, from tags alone. It changes nothing.

import type { Inventory } from '../certificate/spec.ts';
import { mostAnswerBytes, takeFitting } from '../policy/bounds.ts';
import {
  type CertificateHealth,
  healthWords,
  judgeHealth,
  type StatusWord,
} from '../policy/health/health.ts';
import { createFit } from '../policy/registration/fit.ts';
import { type Installation, isGraceOpen, type Misfits, notAllowed } from '../policy/registration/grace.ts';
import type { AgentRegistry } from '../ports/agents.ts';
import type { Clock } from '../ports/clock.ts';
import { CertrelayError, describeError, PartError } from '../ports/errors.ts';
import type { InstallationStore } from '../ports/installation.ts';
import type { Log } from '../ports/log.ts';
import type { CertificateStore, StoreEntry } from '../ports/store.ts';
import type { StatusRequest } from '../requests/requests.ts';
import { type AgentStatus, judgeAgents } from './agents.ts';

/** The ports of the status story. */
export interface StatusPorts {
  readonly store: Pick<CertificateStore, 'list' | 'describe'>;
  readonly agents: Pick<AgentRegistry, 'list'>;
  /** Shows whether `issue` has recorded times of grace yet; absent: it has. */
  readonly installation?: Pick<InstallationStore, 'read'> | undefined;
  /** The public key that agents must trust; `undefined` if nothing has been signed yet. */
  readonly publicKey: (signal: AbortSignal) => Promise<string | undefined>;
  readonly clock: Clock;
  readonly log: Log;
}

/** One call of `status`. */
export interface StatusInvocation extends StatusRequest {
  readonly inventory: Inventory;
  /** How long another certificate may be served after a delivery, and an agent may be silent, in
   *  milliseconds. */
  readonly staleAfterMs: number;
  readonly signal: AbortSignal;
}

/** The answer of `status`. It contains no secrets. */
export interface StatusReport {
  /** Number of certificates by health. */
  readonly summary: Readonly<Record<StatusWord, number>>;
  /** Value for CERTRELAY_SIGNING_KEY of agents; absent before the first certificate is signed for one. */
  readonly signingKey?: string | undefined;
  readonly agents: readonly AgentStatus[];
  /** The worst first, 2,000 at most and within 5 MB, because Lambda answers 6 MB at most. */
  readonly certificates: readonly CertificateHealth[];
  /** How many certificates are not listed; absent if all are. */
  readonly omitted?: number;
}

const mostListed = 2_000;

/** The report, and one error for each certificate and agent for which a person must act.
 *  @throws StoreError if the store cannot be listed. */
export async function describeStatus(
  ports: StatusPorts,
  invocation: StatusInvocation,
): Promise<{ readonly report: StatusReport; readonly problems: readonly Error[] }> {
  const { clock, log } = ports;
  const { inventory, staleAfterMs, signal } = invocation;
  const [entries, records, signingKey] = await Promise.all([
    findEntries(ports, invocation),
    ports.agents.list(signal),
    ports.publicKey(signal),
  ]);
  const now = clock.now();
  const specs = new Map(inventory.certificates.map((spec) => [spec.name, spec]));
  const names = invocation.certificates ?? [...new Set([...specs.keys(), ...entries.keys()])].toSorted();
  const { clusters } = inventory;
  const misfitsByName = findMisfits([...entries.values()], inventory);
  const isOpen = misfitsByName.size > 0 && isGraceOpen(await readInstallation(ports, signal));
  const all = names.map((name) => {
    const [entry, spec] = [entries.get(name), specs.get(name)];
    const own = misfitsByName.get(name);
    const misfits = own && { grace: isOpen ? ('open' as const) : undefined, ...own };
    return judgeHealth({ name, entry, spec, clusters, misfits }, now, staleAfterMs);
  });
  const byHealth = Map.groupBy(all, ({ health }) => health);
  const agents = judgeAgents(records, inventory, now, staleAfterMs);
  for (const { cluster, state, lastSeen, message } of agents) {
    if (state === 'stale') log.error('agent silent', { cluster, lastSeen, problem: message });
  }
  const sorted = healthWords.flatMap((word) => byHealth.get(word) ?? []);
  const listed = takeFitting(sorted.slice(0, mostListed), mostAnswerBytes);
  const omitted = sorted.length - listed.length;
  const count = (word: StatusWord) => byHealth.get(word)?.length ?? 0;
  const report: StatusReport = {
    summary: { failing: count('failing'), pending: count('pending'), well: count('well') },
    signingKey,
    agents,
    certificates: listed,
    ...(omitted > 0 ? { omitted } : {}),
  };
  const troubled = agents.filter(({ state }) => state === 'stale' || state === 'failing');
  const problems = [
    ...troubled.map(
      ({ cluster, state, message }) =>
        new PartError(`agent of ${cluster}`, new CertrelayError(state, message)),
    ),
    ...(byHealth.get('failing') ?? []).map(
      ({ name, message }) => new PartError(name, new CertrelayError('failing', message)),
    ),
  ];
  // The number requested is absent for a call over everything, as in the other functions.
  log.info('status finished', {
    ...report.summary,
    agents: agents.length,
    asked: invocation.certificates?.length,
  });
  return { report, problems };
}

/** Misfits by certificate, from tags alone, with what `issue` recorded on them. */
function findMisfits(
  entries: readonly StoreEntry[],
  inventory: Inventory,
): ReadonlyMap<string, Pick<Misfits, 'found'> & { readonly grace?: Date }> {
  const fit = createFit(inventory);
  const inFile = new Set(inventory.certificates.map(({ name }) => name));
  return new Map(
    entries.flatMap(({ name, state }) => {
      const { source, targets, graceUntil, error } = state;
      if (!source || inFile.has(name)) return [];
      const { found } = fit.ofTags({ name, source, domains: state.domains, targets });
      if (found.length === 0 && graceUntil === undefined && error !== notAllowed) return [];
      return [[name, { found, ...(graceUntil ? { grace: graceUntil } : {}) }] as const];
    }),
  );
}

/** `unknown` if it cannot be read: a certificate that may have a time of grace is then not called failing. */
async function readInstallation(
  { installation, log }: StatusPorts,
  signal: AbortSignal,
): Promise<Installation> {
  if (!installation) return { firstRun: new Date(0) };
  try {
    return await installation.read(signal);
  } catch (error) {
    log.warn('installation not read', { problem: describeError(error) });
    return 'unknown';
  }
}

async function findEntries(
  { store }: StatusPorts,
  { certificates, signal }: StatusInvocation,
): Promise<ReadonlyMap<string, StoreEntry>> {
  const found = certificates
    ? await Promise.all(certificates.map((name) => store.describe(name, signal)))
    : await store.list(signal);
  return new Map(found.flatMap((entry) => (entry ? [[entry.name, entry] as const] : [])));
}
