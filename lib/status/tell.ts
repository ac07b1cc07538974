// Tells what has changed since it was last told, and notes that it was: at least once, and as a rule once.
import { mapConcurrently } from '../async/map-concurrently.ts';
import { announceHealth } from '../policy/events/announcement.ts';
import { type HealthChange, keyOf } from '../policy/health/change.ts';
import { noteSubject, noteTold } from '../policy/health/notes.ts';
import { describeError, toError } from '../ports/errors.ts';
import type { StatusNotes } from '../ports/notes.ts';
import type { SubjectNote, Teller } from '../state/health.ts';
import { isSameValue } from '../state/same.ts';
import { findGone, findOtherChange, listOthers } from './changes.ts';
import { confirmCertificates, describeEntry, findChanged } from './confirm.ts';
import { sendDigest } from './digest.ts';
import type { StatusPorts } from './invocation.ts';
import { mayWrite, writeNotes } from './note-writes.ts';
import { findNotable, forget, takeFitting } from './room.ts';
import type { NotedChange, StatusRound } from './round.ts';

/** AWS secrets written at once. AWS takes 50 tag requests a second. */
const mostWritten = 16;
/** Certificates whose changes are confirmed, told and noted together. */
const mostAtOnce = 1_000;

/** Tells every change of health and notes it. A change of a certificate is confirmed by its AWS secret first,
 *  because lists lag. What could not be told or noted is told again by the next pass. Never rejects: returns
 *  the failures, which are in the log; time that ran out is none. */
export async function tellChanges(round: StatusRound): Promise<readonly Error[]> {
  const { facts, ports, invocation } = round;
  const failures: Error[] = [];
  const present: Teller[] = [
    ...(ports.putEvents ? ['events' as const] : []),
    ...(ports.notices ? ['notices' as const] : []),
  ];
  const rules = { present, now: facts.now };
  try {
    const isHeld = !mayWrite(facts.notes, facts.now);
    const others = await findOthers(round, rules);
    if (isHeld && others.length > 0) ports.log.warn('health not reported', { problem: held });
    const names = findChanged(round, rules);
    let { notes } = facts;
    // Worst first, some at a time: what a run that ends has noted is not told again.
    for (let from = 0; from === 0 || from < names.length; from += mostAtOnce) {
      const current = { ...round, facts: { ...facts, notes } };
      const confirmed = await confirmCertificates(names.slice(from, from + mostAtOnce), current, rules);
      const all = from === 0 ? [...others, ...confirmed] : confirmed;
      const changed = isHeld ? all.filter(({ place }) => place === 'tags') : all;
      const found = await findNotable(changed, notes, round);
      const told = await tell(found, round, failures);
      for (const { change } of found) logChange(change, ports);
      const failed = await noteOnTags(found, told, round);
      const own = [...found.filter(({ place }) => place === 'notes'), ...failed];
      if (!isHeld) notes = await noteOthers(takeFitting(own, notes), told, notes, round);
      await removeMoved(found, round);
    }
    const after = isHeld ? notes : await sendDigest(round, notes, failures);
    if (after !== notes) await writeNotes(after, notes, round);
  } catch (error) {
    const isOver = invocation.signal.aborted;
    const problem = isOver ? 'time ran out; the next pass goes on from here' : describeError(error);
    ports.log[isOver ? 'warn' : 'error']('health not reported', { problem });
    failures.push(toError(error));
  }
  return invocation.signal.aborted ? [] : failures;
}

const held =
  'notes were written too often for a day, as something comes and goes: what changes is told within half an hour';

async function findOthers(
  round: StatusRound,
  rules: { readonly present: readonly Teller[]; readonly now: Date },
): Promise<readonly NotedChange[]> {
  const { judged, facts } = round;
  const { notes } = facts;
  const taken = new Set(await findTakenAway(round));
  const others = listOthers(judged).map(({ subject, health }) => {
    const key = keyOf(subject);
    return { key, planned: findOtherChange(subject, health, notes.subjects[key], rules) };
  });
  const there = new Set(others.map(({ key }) => key));
  const gone = Object.entries(notes.subjects)
    .filter(([key]) => !there.has(key) && (!key.startsWith('certificate/') || taken.has(key)))
    .map(([key, noted]) => ({ key, planned: findGone(key, noted, rules) }));
  return [...others, ...gone].flatMap(({ key, planned }) =>
    planned ? [{ ...planned, before: notes.subjects[key], place: 'notes' as const }] : [],
  );
}

/** Keys of noted certificates that nobody names any more, and that have no AWS secret: lists lag. */
async function findTakenAway(round: StatusRound): Promise<readonly string[]> {
  const { facts } = round;
  const names = new Set(facts.names);
  const prefix = 'certificate/';
  const gone = Object.keys(facts.notes.subjects).filter(
    (key) => key.startsWith(prefix) && !names.has(key.slice(prefix.length)),
  );
  const entries = await mapConcurrently(gone, mostWritten, (key) =>
    describeEntry(key.slice(prefix.length), undefined, round),
  );
  return gone.filter((_, index) => !entries[index]);
}

/** Tells both ways side by side: one that fails or hangs keeps nothing from the other. Returns who has been
 *  told of each change. */
async function tell(
  found: readonly NotedChange[],
  round: StatusRound,
  failures: Error[],
): Promise<ReadonlyMap<NotedChange, readonly Teller[]>> {
  const ways: readonly [Teller, (changes: readonly HealthChange[]) => Promise<readonly HealthChange[]>][] = [
    ['events', (changes) => announce(changes, round, failures)],
    ['notices', (changes) => handOver(changes, round, failures)],
  ];
  const told = await Promise.all(
    ways.map(async ([teller, send]) => {
      const due = found.filter(({ plan }) => plan.tell.includes(teller)).map(({ change }) => change);
      return [teller, new Set(due.length > 0 ? await send(due) : [])] as const;
    }),
  );
  return new Map(
    found.map((one) => [one, told.flatMap(([teller, changes]) => (changes.has(one.change) ? [teller] : []))]),
  );
}

/** One event for each. Those that the bus did not take are put again by the next pass. */
async function announce(
  changes: readonly HealthChange[],
  { ports: { putEvents, log }, facts: { entries }, invocation: { signal } }: StatusRound,
  failures: Error[],
): Promise<readonly HealthChange[]> {
  const arnOf = ({ subject: { kind, name } }: HealthChange) =>
    kind === 'certificate' ? entries.get(name)?.arn : undefined;
  const announcements = changes.map((change) => announceHealth(change, arnOf(change)));
  try {
    const results = (await putEvents?.(announcements, signal)) ?? [];
    const lost = results.find((result) => result !== 'put');
    if (lost) {
      log.warn('event not put', { event: 'Health Changed', problem: describeError(lost) });
      failures.push(lost);
    }
    return changes.filter((_, index) => results[index] === 'put');
  } catch (error) {
    log.warn('event not put', { event: 'Health Changed', problem: describeError(error) });
    failures.push(toError(error));
    return [];
  }
}

/** One message for all of them. */
async function handOver(
  changes: readonly HealthChange[],
  { facts: { now }, ports: { notices, log }, invocation: { id, signal } }: StatusRound,
  failures: Error[],
): Promise<readonly HealthChange[]> {
  if (!notices) return [];
  try {
    await notices.send({ at: now, changes }, id, signal);
    return changes;
  } catch (error) {
    log.error('changes not queued', { problem: describeError(error), changes: changes.length });
    failures.push(toError(error));
    return [];
  }
}

/** Returns the changes whose tag could not be written: these are kept with the other notes, so that they are
 *  not told for ever. */
async function noteOnTags(
  found: readonly NotedChange[],
  told: ReadonlyMap<NotedChange, readonly Teller[]>,
  { ports: { store, log }, invocation: { cleanUpSignal } }: StatusRound,
): Promise<readonly NotedChange[]> {
  const changes = found.filter(({ place }) => place === 'tags');
  const failed = await mapConcurrently(changes, mostWritten, async (one): Promise<readonly NotedChange[]> => {
    const certificate = one.change.subject.name;
    const health = noteTold(one.plan, told.get(one) ?? []);
    if (isSameValue(health ?? undefined, one.before)) return [];
    try {
      await store.record(certificate, { health }, cleanUpSignal);
      return [];
    } catch (error) {
      if (cleanUpSignal.aborted) throw error;
      log.warn('health not noted', { certificate, problem: describeError(error) });
      return [one];
    }
  });
  return failed.flat();
}

/** Removes the tags of what the notes have now: they would be told once more when the notes forget it. */
async function removeMoved(found: readonly NotedChange[], round: StatusRound): Promise<void> {
  const { store, log } = round.ports;
  const moved = found.filter(({ isMoved }) => isMoved);
  await mapConcurrently(moved, mostWritten, async ({ change: { subject } }) => {
    try {
      await store.record(subject.name, { health: null }, round.invocation.cleanUpSignal);
    } catch (error) {
      log.warn('health not noted', { certificate: subject.name, problem: describeError(error) });
    }
  });
}

/** The notes of everything else are one value, written only if it changes. Returns what they are now. */
async function noteOthers(
  found: readonly NotedChange[],
  told: ReadonlyMap<NotedChange, readonly Teller[]>,
  notes: StatusNotes,
  round: StatusRound,
): Promise<StatusNotes> {
  const { facts } = round;
  const subjects = new Map<string, SubjectNote>(Object.entries(notes.subjects));
  for (const one of found) {
    const { subject } = one.change;
    const key = keyOf(subject);
    const health = noteTold(one.plan, told.get(one) ?? []);
    const note = subject.kind === 'certificate' ? health : noteSubject(health, subjects.get(key), facts.now);
    if (note) subjects.set(key, note);
    else subjects.delete(key);
  }
  const after = { ...notes, subjects: forget(Object.fromEntries(subjects), facts.now) };
  const isNew = facts.isFirst && notes === facts.notes;
  return isNew || !isSameValue(after, notes) ? writeNotes(after, notes, round) : notes;
}

function logChange(change: HealthChange, { log }: StatusPorts): void {
  const { subject, health, previousHealth, reason, message, since } = change;
  const level = health === 'Degraded' ? 'warn' : 'info';
  const certificate = subject.kind === 'certificate' ? { certificate: subject.name } : { subject };
  log[level]('health changed', { ...certificate, health, previousHealth, reason, detail: message, since });
}
