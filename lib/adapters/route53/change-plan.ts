// Decides the changes that put TXT values beside those of others, or take them away, and how they fit into batches.
import type { Change, ResourceRecord, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { quoteTxt, unquoteTxt } from './txt-value.ts';

/** What to do at one name: nothing where `changes` is empty; `refusal` where it cannot be done, and what would mend it. */
export interface NamePlan {
  readonly name: string;
  readonly changes: readonly Change[];
  readonly refusal?: string;
}

/** Seconds; only for sets that we make: a set that is there keeps its own. */
const ttl = 60;

/** Characters by which the beginning of a value of ours is told from any value of somebody else's. */
const beginning = 8;

/** API Reference, ChangeResourceRecordSets: what one batch may hold. */
const recordsPerBatch = 1000;
const charactersPerBatch = 32_000;

/** Adds the values that are not there yet. A set is deleted exactly as it was read and created again with ours at its
 *  end, so that a change by somebody else in between makes the batch fail rather than be lost. */
export function planAddition(
  name: string,
  live: readonly ResourceRecordSet[],
  values: readonly string[],
): NamePlan {
  const present = new Set(live.flatMap((set) => recordsOf(set).map(textOf)));
  const missing = values.filter((value) => !present.has(value));
  if (missing.length === 0) return { name, changes: [] };
  const records = missing.map(recordOf);
  const [first] = live;
  if (!first) {
    return { name, changes: [{ Action: 'CREATE', ResourceRecordSet: simpleSet(name, records) }] };
  }
  if (live.every((set) => set.MultiValueAnswer)) {
    // cert-manager's way: one set per value, told apart by identifier; a simple set is not allowed beside them.
    const sets = missing.map((value) => ({
      ...simpleSet(name, [recordOf(value)]),
      SetIdentifier: `certrelay ${value}`.slice(0, 128),
      MultiValueAnswer: true,
    }));
    return { name, changes: sets.map((set) => ({ Action: 'CREATE', ResourceRecordSet: set })) };
  }
  if (first.AliasTarget || first.SetIdentifier !== undefined) {
    const kind = first.AliasTarget ? 'an alias' : 'one with a routing policy';
    return {
      name,
      changes: [],
      refusal: `the TXT record set at ${name} is ${kind}, to which no value can be added: make it a simple record set`,
    };
  }
  return { name, changes: replacement(first, [...recordsOf(first), ...records]) };
}

/** Takes just these values away, and DNS-01 values that begin with one of 8 characters; a set that is left with
 *  none goes. */
export function planRemoval(
  name: string,
  live: readonly ResourceRecordSet[],
  values: readonly string[],
): NamePlan {
  const ours = new Set<string | undefined>(values);
  const isOurs = (text: string | undefined) =>
    ours.has(text) || (isDns01(text) && ours.has(text.slice(0, beginning)));
  const changes = live.flatMap((set) => {
    const records = recordsOf(set);
    const left = records.filter((record) => !isOurs(textOf(record)));
    return left.length === records.length ? [] : replacement(set, left);
  });
  return { name, changes };
}

/** Whether a text can be the digest of a key authorization (RFC 8555 §8.4). */
function isDns01(text: string | undefined): text is string {
  return text !== undefined && /^[\w-]{43}$/.test(text);
}

/** Plans in groups that fit into one batch each. A name's changes stay together; one too large for any batch stands alone. */
export function splitIntoBatches(plans: readonly NamePlan[]): readonly (readonly NamePlan[])[] {
  const batches: NamePlan[][] = [];
  let room = { records: 0, characters: 0 };
  for (const plan of plans) {
    const records = plan.changes.flatMap((change) =>
      change.ResourceRecordSet ? recordsOf(change.ResourceRecordSet) : [],
    );
    const characters = records.reduce((sum, record) => sum + (record.Value?.length ?? 0), 0);
    if (batches.length === 0 || records.length > room.records || characters > room.characters) {
      batches.push([]);
      room = { records: recordsPerBatch, characters: charactersPerBatch };
    }
    batches.at(-1)?.push(plan);
    room = { records: room.records - records.length, characters: room.characters - characters };
  }
  return batches;
}

function replacement(set: ResourceRecordSet, records: readonly ResourceRecord[]): Change[] {
  const removal: Change = { Action: 'DELETE', ResourceRecordSet: set };
  if (records.length === 0) return [removal];
  return [removal, { Action: 'CREATE', ResourceRecordSet: { ...set, ResourceRecords: [...records] } }];
}

function simpleSet(name: string, records: ResourceRecord[]): ResourceRecordSet {
  return { Name: name, Type: 'TXT', TTL: ttl, ResourceRecords: records };
}

function recordsOf(set: ResourceRecordSet): readonly ResourceRecord[] {
  return set.ResourceRecords ?? [];
}

function recordOf(value: string): ResourceRecord {
  return { Value: quoteTxt(value) };
}

function textOf(record: ResourceRecord): string | undefined {
  return unquoteTxt(record.Value ?? '');
}
