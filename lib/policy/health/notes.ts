// Compares health with what was noted of it: what is told now, and what is noted then.
import { hash } from 'node:crypto';
import {
  type Acknowledgement,
  type HealthNote,
  type HealthWord,
  type SubjectNote,
  type Teller,
  tellers,
} from '../../state/health.ts';
import { isShared } from './finding.ts';
import type { HealthReason } from './reasons.ts';

/** How something is now. */
interface Standing {
  readonly health: HealthWord;
  readonly reason: string;
  readonly since?: Date | undefined;
  readonly cause?: string | undefined;
}

/** What there is to tell of something, and what to note. */
export interface NotePlan {
  readonly previous: HealthWord;
  /** Who is told now. */
  readonly tell: readonly Teller[];
  /** The note before anybody is told. */
  readonly note: HealthNote;
}

/** What to tell and to note; `undefined` if everything is told and noted. A change of the reason is a change,
 *  too, and so is the end of its cause if it goes on. Who is not there counts as told, so that a channel that
 *  is added later does not begin with a flood.
 *  @param present Who can be told. */
export function planNote(
  { health, reason, since, cause }: Standing,
  note: SubjectNote | undefined,
  present: readonly Teller[],
  now: Date,
): NotePlan | undefined {
  if (note?.wellSince && health === 'Healthy') return undefined;
  const isLeft = note?.isCaused === true && !isShared(cause);
  const isSame = note ? note.health === health && note.reason === reason && !isLeft : health === 'Healthy';
  if (isSame) {
    const tell = note ? present.filter((one) => !note.told.includes(one)) : [];
    // Versions before noted nothing of what it was before the change that was not told.
    const previous = health === 'Healthy' || note?.wasDegraded ? 'Degraded' : 'Healthy';
    return note && (tell.length > 0 || health === 'Healthy') ? { previous, tell, note } : undefined;
  }
  const previous = note?.wasDegraded ? 'Degraded' : (note?.health ?? 'Healthy');
  const told = tellers.filter((one) => !present.includes(one));
  const before = previous === 'Degraded' && health !== previous ? { wasDegraded: true as const } : {};
  const caused = health === 'Degraded' && isShared(cause) ? { isCaused: true as const } : {};
  const turn = note && { turn: turnAfter(note) };
  const next = { health, reason, since: since ?? now, told, ...before, ...caused, ...turn };
  return { previous, tell: present, note: next };
}

/** The same for the same note. A trouble that goes on after another one, or after a person let it rest, has
 *  its old beginning: receivers would take that news for a repetition. */
function turnAfter({ health, reason, since, wellSince, turn }: SubjectNote): string {
  return hash('sha256', JSON.stringify([health, reason, since, wellSince, turn])).slice(0, 8);
}

/** The note once some were told; `null` if nothing needs to be remembered. */
export function noteTold({ note }: NotePlan, told: readonly Teller[]): HealthNote | null {
  const all = tellers.filter((one) => note.told.includes(one) || told.includes(one));
  if (all.length < tellers.length) return { ...note, told: all };
  const { wasDegraded: _, ...rest } = note;
  return note.health === 'Healthy' ? null : { ...rest, told: all };
}

/** How long the note of a trouble is kept after its end, in milliseconds. */
const keptMs = 3_600_000;

/** What is noted of something that is no certificate. `note`: what `noteTold` gives. Once all were told that
 *  it is well, its trouble stays noted for a while: one that comes back goes on from there, and what a person
 *  knows of it lasts as long as that person said. */
export function noteSubject(
  note: HealthNote | null,
  before: SubjectNote | undefined,
  now: Date,
): SubjectNote | undefined {
  const known = before?.acknowledged && { acknowledged: before.acknowledged };
  if (note) return { ...note, ...known };
  if (!before) return undefined;
  const { reason, since, told } = before;
  return { health: 'Healthy', reason, since, told, ...known, wellSince: now };
}

/** Whether the note of something that is well again may be forgotten. */
export function isForgotten({ wellSince, acknowledged }: SubjectNote, now: Date): boolean {
  const isKnown = acknowledged !== undefined && acknowledged.until > now;
  return wellSince !== undefined && !isKnown && now.getTime() - wellSince.getTime() > keptMs;
}

/** Since when something has had one of these reasons, by what was noted, also while a person knows of it.
 *  `undefined` if it was noted for another reason, or not at all. */
export function notedSince(
  note: HealthNote | undefined,
  acknowledged: Acknowledgement | undefined,
  ...reasons: readonly HealthReason[]
): Date | undefined {
  const known: HealthReason = 'Acknowledged';
  const noted = note?.reason === known ? acknowledged?.reason : note?.reason;
  return reasons.some((reason) => reason === noted) ? note?.since : undefined;
}
