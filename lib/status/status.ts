// The status story: judges how everything stands, by tags alone, and tells what has changed.

import { mapConcurrently } from '../async/map-concurrently.ts';
import type { Inventory } from '../certificate/spec.ts';
import { createFit } from '../policy/registration/fit.ts';
import { isGraceOpen, type Misfits, notAllowed } from '../policy/registration/grace.ts';
import { CertrelayError, describeError, PartError } from '../ports/errors.ts';
import type { InstallationRecord } from '../ports/installation.ts';
import type { StatusNotes } from '../ports/notes.ts';
import type { StoreEntry } from '../ports/store.ts';
import { createRefusal } from '../requests/unknown.ts';
import { acknowledge } from './acknowledge.ts';
import { listOthers } from './changes.ts';
import type { StatusInvocation, StatusPorts } from './invocation.ts';
import { createJudge, type StatusFacts } from './judge.ts';
import { makeReport, type StatusReport } from './report.ts';
import { tellChanges } from './tell.ts';

/** The report, and one error for each thing that is `Degraded`. A call over everything also tells what has
 *  changed since the last one; a call for some certificates only answers.
 *  @throws StoreError if the store cannot be listed. */
export async function describeStatus(
  ports: StatusPorts,
  invocation: StatusInvocation,
): Promise<{ readonly report: StatusReport; readonly problems: readonly Error[] }> {
  const { log } = ports;
  const asked = invocation.certificates;
  const { facts, signingKey, unknown } = await readFacts(ports, invocation);
  const judge = createJudge(facts);
  const judged = judge.everything();
  const failures = invocation.acknowledge
    ? await acknowledge(invocation.acknowledge, { judged, judge, facts, ports, invocation })
    : [];
  const isFull = asked === undefined && invocation.acknowledge === undefined;
  if (isFull) await tellChanges({ judged, judge, facts, ports, invocation });
  const report = makeReport(judged, { installation: invocation.installation, at: facts.now, signingKey });
  for (const { name, reason, lastSeen, message } of judged.agents) {
    if (reason === 'AgentSilent') log.error('agent silent', { cluster: name, lastSeen, problem: message });
  }
  const { waitingForDns: _, ...counts } = report.summary;
  log.info('status finished', { ...counts, health: report.health, asked: asked?.length });
  return { report, problems: [...unknown, ...failures, ...(invocation.check ? findProblems(report) : [])] };
}

/** One error for each thing that is `Degraded`, with the next command. */
function findProblems(report: StatusReport): readonly Error[] {
  const certificates = report.certificates.map((health) => ({ title: health.name, health }));
  const others = listOthers(report).map(({ subject, health }) => ({
    title: `${subject.kind} ${subject.name}`,
    health,
  }));
  return [...others, ...certificates]
    .filter(({ health }) => health.health === 'Degraded')
    .map(
      ({ title, health: { reason, message, command } }) =>
        new PartError(title, new CertrelayError(reason, message), { command }),
    );
}

async function readFacts(
  ports: StatusPorts,
  invocation: StatusInvocation,
): Promise<{
  readonly facts: StatusFacts;
  readonly signingKey: string | undefined;
  readonly unknown: readonly Error[];
}> {
  const { inventory, channels, staleAfterMs, intervals, signal } = invocation;
  const [entries, agents, signingKey, installation, operations, notes] = await Promise.all([
    findEntries(ports, invocation),
    ports.agents.list(signal),
    ports.publicKey(signal),
    readInstallation(ports, signal),
    ports.operations.read(signal),
    readNotes(ports, signal),
  ]);
  const now = ports.clock.now();
  const specs = new Set(inventory.certificates.map((spec) => spec.name));
  const asked = invocation.certificates;
  const isKnown = (name: string) => specs.has(name) || entries.has(name);
  const names = asked?.filter(isKnown) ?? [...new Set([...specs, ...entries.keys()])].toSorted();
  const unknown = (asked ?? []).filter((name) => !isKnown(name));
  return {
    signingKey,
    unknown: await mapConcurrently(unknown, 1, createRefusal({ inventory, store: ports.store, signal })),
    facts: {
      now,
      inventory,
      channels,
      names,
      entries,
      misfits: findMisfits([...entries.values()], inventory, installation),
      agents,
      operations,
      installation: installation === 'unknown' ? undefined : installation,
      notes: notes ?? { began: now, subjects: {} },
      isFirst: notes === undefined,
      intervals,
      staleAfterMs,
    },
  };
}

/** Misfits by certificate, from tags alone, with what `issue` recorded on them. */
function findMisfits(
  entries: readonly StoreEntry[],
  inventory: Inventory,
  installation: InstallationRecord | 'unknown' | undefined,
): ReadonlyMap<string, Misfits> {
  const fit = createFit(inventory);
  const inFile = new Set(inventory.certificates.map(({ name }) => name));
  const isOpen = isGraceOpen(installation);
  return new Map(
    entries.flatMap(({ name, state }) => {
      const { source, targets, graceUntil, error } = state;
      if (!source || inFile.has(name)) return [];
      const { found } = fit.ofTags({ name, source, domains: state.domains, targets });
      if (found.length === 0 && graceUntil === undefined && error !== notAllowed) return [];
      const grace = graceUntil ?? (isOpen ? ('open' as const) : undefined);
      return [[name, { found, ...(grace === undefined ? {} : { grace }) }] as const];
    }),
  );
}

/** `unknown` if it cannot be read: a certificate that may have a time of grace is then not called refused. */
async function readInstallation(
  { installation, log }: StatusPorts,
  signal: AbortSignal,
): Promise<InstallationRecord | 'unknown' | undefined> {
  try {
    return await installation.read(signal);
  } catch (error) {
    log.warn('installation not read', { problem: describeError(error) });
    return 'unknown';
  }
}

/** Without its notes `status` would tell everything once more, so it fails. @throws StoreError */
async function readNotes({ notes }: StatusPorts, signal: AbortSignal): Promise<StatusNotes | undefined> {
  return notes.read(signal);
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
