// Shares out the 50 tags of an AWS secret (docs/architecture.md, "Tags: the budget") and decides which fields
// give way if there is no room.
import { cutPart, isContinuation } from './codec/text.ts';

/** Number of tags for each purpose. */
export const tagBudget = {
  /** The limit of AWS. */
  most: 50,
  /** Tags that users put on the secret themselves. */
  users: 5,
  /** Kept free for fields to come. */
  reserved: 1,
  /** Clusters with an agent for one certificate, and the tags of each: a statement and a report. */
  agents: 4,
  tagsOfAgent: 2,
} as const;

/** Fields that always have room, with the number of tags reserved for each. Decisions of people, current
 *  orders and revocations are recorded nowhere else. */
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
  health: 1,
  acknowledged: 1,
  unregister: 1,
  retire: 1,
  gone: 1,
} as const;

/** Fields that are only an index, the first to give way first: the inventory names the targets, while it has
 *  the certificate; the log says which event was not put; the log has the words of a failure; the CA
 *  tells why a window is where it is, and the window; DNS is checked before an order that may need no proof;
 *  the name tells the place; ACM finds an import by its tag; the value tells the names; limits of a CA are
 *  met without foresight, and renewals are ordered by their lifetime and without naming what they replace. */
export const expendable = [
  'deliveredTo',
  'owedEvents',
  'deliveryProblem',
  'problem',
  'explanationUrl',
  'authorizations',
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

/** Fields that end in a text for people. They are cut to the tags reserved for them. */
const wordy = ['deliveryHeld', 'pauseReason', 'acknowledged'] as const;

const mostWithExpendable = tagBudget.most - tagBudget.reserved;

type Tags = Readonly<Record<string, string>>;
type There = ReadonlyMap<string, string>;

/** Changes to a secret's tags. `remove` is empty unless room is short. */
export interface TagChange {
  readonly write: Tags;
  readonly remove: readonly string[];
}

/** The change that keeps the secret within the budget. With enough room, cleared fields and left-over parts
 *  of longer values become empty tags, so that one call is enough. Without room these tags are removed, then
 *  fields that are only an index. Fields that the change does not name stay.
 *  @param there All tags of the secret; absent: unknown, then nothing gives way. */
export function fitTags(tags: Tags, there: There | undefined): TagChange {
  if (!there) return { write: tags, remove: [] };
  const write = new Map([...Object.entries(tags), ...findTails(tags, there)]);
  const remove = new Set<string>();
  // A write that only replaces tags needs no room: nothing gives way for it.
  const isOver = () =>
    countNew(write, there) > 0 && there.size + countNew(write, there) - remove.size > mostWithExpendable;
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

/** Agents may write their own tags but remove none. */
function isOfAgent(key: string): boolean {
  return /^certrelay:agent(-report)?\//.test(key);
}

function partsOf(base: string, tags: There): readonly string[] {
  return [...tags.keys()].filter((key) => key === base || isContinuation(key, base));
}

/** As much of the text as fits into so many tags. */
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

/** Left-over parts of a formerly longer value, as empty tags. */
function findTails(tags: Tags, there: There): readonly (readonly [key: string, value: string])[] {
  return [...there].flatMap(([key, value]) => {
    const base = key.replace(/\.\d+$/, '');
    const isTail = base !== key && base in tags && !(key in tags) && value !== '';
    return isTail ? [[key, ''] as const] : [];
  });
}
