// How often the notes of `status` may be written. AWS keeps about a hundred versions of an AWS secret and
// takes none away that is younger than a day: what comes and goes with every pass would use them up, and what
// cannot be noted would be told again by every pass.
import type { StatusNotes } from '../ports/notes.ts';
import { isSameValue } from '../state/same.ts';
import type { StatusRound } from './round.ts';

const dayMs = 86_400_000;
/** Writes of a day that come as they like; after them there is one in so many milliseconds. In any 24 hours
 *  that makes fewer than a hundred. */
const [most, pauseMs] = [45, 1_800_000];

/** Whether the notes may be written now. What cannot be noted waits, and is not told. */
export function mayWrite({ writes }: StatusNotes, now: Date): boolean {
  if (!writes || isOver(writes, now) || writes.count < most) return true;
  return now.getTime() - writes.last.getTime() >= pauseMs;
}

/** The notes with one more write. */
export function countWrite(notes: StatusNotes, now: Date): StatusNotes {
  const { writes } = notes;
  const { since, count } = writes && !isOver(writes, now) ? writes : { since: now, count: 0 };
  return { ...notes, writes: { since, count: count + 1, last: now } };
}

function isOver({ since }: NonNullable<StatusNotes['writes']>, now: Date): boolean {
  return now.getTime() - since.getTime() >= dayMs;
}

/** Writes the notes as a pass leaves them, and returns what they are now. What a person has acknowledged or
 *  taken back meanwhile stays.
 *  @param before As the pass has read them, or written them last. */
export async function writeNotes(
  after: StatusNotes,
  before: StatusNotes,
  { facts: { now }, ports: { notes }, invocation: { cleanUpSignal } }: StatusRound,
): Promise<StatusNotes> {
  // What was told must be noted, also if this cannot be read.
  const stored = (await notes.read(cleanUpSignal).catch(() => undefined)) ?? before;
  const subjects = Object.entries(after.subjects).map(([key, note]) => {
    const acknowledged = stored.subjects[key]?.acknowledged;
    const isSaid = !isSameValue(acknowledged, before.subjects[key]?.acknowledged);
    return [key, isSaid ? { ...note, acknowledged } : note] as const;
  });
  const { writes } = stored;
  const written = countWrite({ ...after, writes, subjects: Object.fromEntries(subjects) }, now);
  await notes.write(written, cleanUpSignal);
  return written;
}
