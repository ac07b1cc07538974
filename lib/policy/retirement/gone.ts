// Counts how long no object has asked for a discovered certificate, and decides when it is to go.
import type { GoneRecord, RetireDecision } from '../../state/retirement.ts';

/** What one pass of `discover` has seen of a certificate's place. `asked`: an object asks for it. `absent`:
 *  the place was listed whole, and none does. `unseen`: it was not listed whole, or nobody knows it.
 *  `elsewhere`: the inventory does not have it. */
export type PlaceSight = 'asked' | 'absent' | 'unseen' | 'elsewhere';

/** How long an object must be gone, in days that count, before its certificate is retired. */
const goneDays = 7;

/** Passes in a row that must have found nobody. */
const leastRow = 3;

const dayMs = 86_400_000;

/** What there is to know for the next record. */
interface GoneContext {
  readonly now: Date;
  /** Whether the inventory has such certificates retired. */
  readonly retires: boolean;
  /** As `isKeptByPerson`. */
  readonly isKept: boolean;
}

/** The record after one pass; `undefined`: none, because an object asks. A pass that could not list the place
 *  whole counts nothing. What was to go stays after all once the inventory retires nothing, or has the place
 *  no longer. */
export function countGone(
  before: GoneRecord | undefined,
  sight: PlaceSight,
  context: GoneContext,
): GoneRecord | undefined {
  if (sight === 'asked') return undefined;
  const isOff = before?.kind === 'retire' && (!context.retires || sight === 'elsewhere');
  const record = isOff ? beginAgain(before.since, context.now) : before;
  if (record?.kind === 'retire') return record;
  if (sight !== 'absent') return record && { ...record, row: 0 };
  return countPass(record ?? { ...beginAgain(context.now, context.now), days: 0 }, context);
}

type Counting = Extract<GoneRecord, { readonly kind: 'counting' }>;

/** All days are counted already. */
function beginAgain(since: Date, now: Date): Counting {
  return { kind: 'counting', since, days: goneDays, countedAt: now, row: 0 };
}

function countPass(before: Counting, { now, retires, isKept }: GoneContext): GoneRecord {
  const { since } = before;
  const row = Math.min(leastRow, before.row + 1);
  const isNewDay = before.days < goneDays && dateOf(now) > dateOf(before.countedAt);
  const days = isNewDay ? before.days + 1 : before.days;
  const countedAt = isNewDay ? now : before.countedAt;
  const isLong = days >= goneDays && now.getTime() - since.getTime() >= goneDays * dayMs;
  return retires && !isKept && isLong && row >= leastRow
    ? { kind: 'retire', at: now, since }
    : { kind: 'counting', since, days, countedAt, row };
}

/** The day in UTC. */
function dateOf(at: Date): string {
  return at.toISOString().slice(0, 10);
}

/** What the tags say of letting the certificate go. */
interface GoneState {
  readonly gone?: GoneRecord | undefined;
  readonly retire?: RetireDecision | undefined;
}

/** Whether a person has restored the certificate after its object went: then it stays, until an object asks
 *  again and goes again. */
export function isKeptByPerson({ retire, gone }: GoneState): boolean {
  return retire?.kind === 'restored' && gone !== undefined && retire.at >= gone.since;
}

/** One line for people: since when nobody asks, and what becomes of the certificate. */
export function describeGone(
  { gone, retire }: GoneState & { readonly gone: GoneRecord },
  retires: boolean,
): string {
  const since = `no object has asked for it since ${gone.since.toISOString()}`;
  if (isKeptByPerson({ gone, retire })) return `${since}; it stays, because a person restored it`;
  if (gone.kind === 'retire') return `${since}, and it is let go since ${gone.at.toISOString()}`;
  if (!retires) return `${since}; it is renewed all the same`;
  const counted = `${Math.min(gone.days, goneDays)} are counted`;
  return `${since}; it is retired once that has been so on ${goneDays} days, of which ${counted}`;
}
