// What the notes of `status` have room for: they are one value. What cannot be noted would be told for ever.
import { mapConcurrently } from '../async/map-concurrently.ts';
import { invokeCommand } from '../policy/commands.ts';
import { keyOf } from '../policy/health/change.ts';
import { isForgotten } from '../policy/health/notes.ts';
import { countOf } from '../policy/words.ts';
import type { StatusNotes } from '../ports/notes.ts';
import { tellers } from '../state/health.ts';
import type { NotedChange, StatusRound } from './round.ts';

/** Bytes of the notes beyond which none is added; the value has 65,536. The rest is for notes that change. */
const mostBytes = 60_000;
/** More than one note takes: it names a certificate and a reason. */
const mostBytesOfOne = 300;
/** AWS secrets written at once. */
const mostWritten = 16;

/** The changes whose notes fit beside those that there are, the first ones first. */
export function takeFitting(found: readonly NotedChange[], notes: StatusNotes): readonly NotedChange[] {
  let room = mostBytes - bytesOf(notes.subjects);
  return found.filter(({ change: { subject }, plan: { note } }) => {
    const key = keyOf(subject);
    if (notes.subjects[key]) return true;
    const bytes = bytesOf({ [key]: note });
    if (bytes > room) return false;
    room -= bytes;
    return true;
  });
}

/** The changes of which can be noted that they were told; the log says how many others there are. While the
 *  notes are full they cannot stand in for a tag, so that each tag is tried before. */
export async function findNotable(
  found: readonly NotedChange[],
  notes: StatusNotes,
  round: StatusRound,
): Promise<readonly NotedChange[]> {
  const isFull = bytesOf(notes.subjects) > mostBytes - mostBytesOfOne;
  const fitting = takeFitting(
    found.filter(({ place }) => place === 'notes'),
    notes,
  );
  const tagged = found.filter(({ place }) => place === 'tags');
  const notable = new Set([...fitting, ...(isFull ? await tryTags(tagged, round) : tagged)]);
  const left = found.length - notable.size;
  if (left > 0) {
    const problem = `${countOf(left, 'change')} of health cannot be noted, because notes are full or tags are refused, and what is not noted would be told by every pass; mend what status lists: ${invokeCommand('status')}`;
    round.ports.log.error('health not reported', { problem });
  }
  return found.filter((one) => notable.has(one));
}

async function tryTags(
  found: readonly NotedChange[],
  { ports: { store }, invocation: { signal } }: StatusRound,
): Promise<readonly NotedChange[]> {
  const taken = await mapConcurrently(found, mostWritten, async (one): Promise<readonly NotedChange[]> => {
    try {
      await store.record(one.change.subject.name, { health: one.plan.note }, signal);
      return [one];
    } catch (error) {
      if (signal.aborted) throw error;
      return [];
    }
  });
  return taken.flat();
}

/** The notes without those that may be forgotten now; where there is no room, without all troubles that are
 *  over. What a person has acknowledged stays. */
export function forget(subjects: StatusNotes['subjects'], now: Date): StatusNotes['subjects'] {
  const isFull = bytesOf(subjects) > mostBytes;
  const kept = Object.entries(subjects).filter(
    ([, note]) => !isForgotten(note, now) && !(isFull && note.wellSince && !note.acknowledged),
  );
  return Object.fromEntries(kept);
}

/** Bytes of the notes once everybody is told of a later change. */
function bytesOf(subjects: StatusNotes['subjects']): number {
  const later = { told: tellers, turn: '00000000' };
  const told = Object.entries(subjects).map(([key, note]) => [key, { ...note, ...later }] as const);
  return Buffer.byteLength(JSON.stringify(Object.fromEntries(told)));
}
