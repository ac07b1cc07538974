// How the 50 tags of an AWS secret are shared out (docs/architecture.md, "Tags: the budget"), and what gives way where there is
// no room.
import { cutPart, isContinuation } from './codec/text.ts';

/** Tags, by what they are for. */
export const tagBudget = {
  /** AWS allows no more. */
  most: 50,
  /** Tags that users put on the secret themselves. */
  users: 5,
  /** Kept free for fields to come: health, what was told of it and until when that is acknowledged; what each target holds; a
   *  name taken back by webhook or by a person; how long authorizations are valid. */
  reserved: 6,
  /** Clusters of one certificate that only an agent reaches, and the tags of each: a statement, a report. */
  agents: 4,
  tagsOfAgent: 2,
} as const;

/** Fields that always have room, with the tags that each is sure of. What a person, an order under way or a revocation said
 *  is told nowhere else. */
export const essential = {
  version: 1,
  names: 1,
  issuer: 1,
  profile: 1,
  key: 1,
  fingerprint: 1,
  notBefore: 1,
  notAfter: 1,
  source: 1,
  targets: 1,
  order: 1,
  orderFor: 1,
  txt: 2,
  failures: 1,
  error: 1,
  nextAttempt: 1,
  pausedSince: 1,
  pauseReason: 1,
  revoked: 2,
  revoking: 1,
  deployed: 1,
  deliveryHeld: 2,
  resumed: 1,
  served: 1,
  notServedSince: 1,
  probedAt: 1,
  'tags-disagree': 1,
  'grace-until': 1,
} as const;

/** Fields that are only an index, the first to give way first: the CA tells why a window is where it is, and the window; the
 *  name tells the place; ACM finds an import by its tag; the value tells the names; limits of a CA are met without foresight, and renewals are ordered
 *  by their lifetime and without naming what they replace. */
export const expendable = [
  'explanationUrl',
  'windowOf',
  'windowStart',
  'windowEnd',
  'askAfter',
  'place',
  'acm',
  'domains',
  'orders',
  'certificateId',
] as const;

/** Texts that end in words for people: cut to the tags that they are sure of. */
const wordy = ['deliveryHeld', 'pauseReason'] as const;

const mostWithExpendable = tagBudget.most - tagBudget.reserved;

type Tags = Readonly<Record<string, string>>;
type There = ReadonlyMap<string, string>;

/** What is to be done to a secret's tags. `remove` is empty but where room is short. */
export interface TagChange {
  readonly write: Tags;
  readonly remove: readonly string[];
}

/** The change that keeps the secret within the budget. Where there is room a cleared field is an empty tag, and so is what a
 *  longer value has left behind: one call does it all. Where there is none, such tags are taken away, then what is only an index;
 *  fields that the change does not name stay as they are.
 *  @param there Tags that the secret has, others' too; absent: nobody looked, and nothing gives way. */
export function fitTags(tags: Tags, there: There | undefined): TagChange {
  if (!there) return { write: tags, remove: [] };
  const write = new Map([...Object.entries(tags), ...findTails(tags, there)]);
  const remove = new Set<string>();
  const isOver = () => there.size + countNew(write, there) - remove.size > mostWithExpendable;
  const drop = (keys: readonly string[]) => {
    for (const key of keys) {
      write.delete(key);
      if (there.has(key)) remove.add(key);
    }
  };
  if (isOver()) drop([...write].flatMap(([key, value]) => (value === '' && !isOfAgent(key) ? [key] : [])));
  for (const field of expendable) {
    if (isOver()) drop(partsOf(`certrelay:${field}`, write));
  }
  for (const field of wordy) {
    if (isOver()) shorten(`certrelay:${field}`, essential[field], write, drop);
  }
  return { write: Object.fromEntries(write), remove: [...remove] };
}

function countNew(write: There, there: There): number {
  return [...write.keys()].filter((key) => !there.has(key)).length;
}

/** Agents may write their own tags, and take none away. */
function isOfAgent(key: string): boolean {
  return /^certrelay:agent(-report)?\//.test(key);
}

function partsOf(base: string, tags: There): readonly string[] {
  return [...tags.keys()].filter((key) => key === base || isContinuation(key, base));
}

/** With as much of the text as has room in so many tags. */
function shorten(
  base: string,
  most: number,
  write: Map<string, string>,
  drop: (keys: readonly string[]) => void,
): void {
  const parts = partsOf(base, write);
  const last = parts[most - 1];
  if (last === undefined || parts.length === most) return;
  drop(parts.slice(most));
  write.set(last, cutPart(write.get(last) ?? ''));
}

/** Parts of a value that was longer before, as empty tags. */
function findTails(tags: Tags, there: There): readonly (readonly [key: string, value: string])[] {
  return [...there].flatMap(([key, value]) => {
    const base = key.replace(/\.\d+$/, '');
    const isTail = base !== key && base in tags && !(key in tags) && value !== '';
    return isTail ? [[key, ''] as const] : [];
  });
}
