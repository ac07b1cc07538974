// Plans the changes that add or remove TXT values among those of other writers, and batches the changes.
import type { Change, ResourceRecord, ResourceRecordSet } from '@aws-sdk/client-route-53';
import { quoteTxt, unquoteTxt } from './txt-value.ts';

/** The changes at one record name. */
export interface NamePlan {
  readonly name: string;
  /** Empty if nothing needs to change, or the change is refused. */
  readonly changes: readonly Change[];
  /** Why the change is impossible, and what to do about it. */
  readonly refusal?: string;
}

/** TTL of new record sets. A set that exists keeps its own. */
const ttlSeconds = 60;

/** Length of a shortened value of ours. So many characters suffice to recognise it among other values. */
const prefixLength = 8;

/** Limits of one batch (API Reference, ChangeResourceRecordSets). */
const recordsPerBatch = 1000;
const charactersPerBatch = 32_000;

/** Plans to add those of the `values` that the `live` sets at `name` do not contain. An existing set is
 *  deleted exactly as it was read, and created again with the new values at its end. If another writer
 *  changes the set meanwhile, the batch fails, and no change is lost. */
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
    // cert-manager writes one multivalue set per value. Route 53 allows no simple set beside such sets.
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
      refusal: `no value can be added to the TXT record set at ${name}, because it is ${kind}; make it a simple record set`,
    };
  }
  return { name, changes: replacement(first, [...recordsOf(first), ...records]) };
}

/** Plans to remove the `values` from the `live` sets at `name`. A value of 8 characters also removes each
 *  DNS-01 value that begins with it. A set without values left is deleted.
 *  @param alsoGoes Which values besides are removed; absent: none. */
export function planRemoval(
  name: string,
  live: readonly ResourceRecordSet[],
  values: readonly string[],
  alsoGoes: (text: string) => boolean = () => false,
): NamePlan {
  const ours = new Set<string | undefined>(values);
  const isOurs = (text: string | undefined) =>
    ours.has(text) ||
    (isDns01(text) && ours.has(text.slice(0, prefixLength))) ||
    (text !== undefined && alsoGoes(text));
  const changes = live.flatMap((set) => {
    const records = recordsOf(set);
    const kept = records.filter((record) => !isOurs(textOf(record)));
    return kept.length === records.length ? [] : replacement(set, kept);
  });
  return { name, changes };
}

/** Whether a text has the form of a DNS-01 value, the digest of a key authorization (RFC 8555 §8.4). */
function isDns01(text: string | undefined): text is string {
  return text !== undefined && /^[\w-]{43}$/.test(text);
}

/** Groups plans so that each group fits into one batch. The changes of one name stay together. A plan that is
 *  too large for any batch gets a group of its own. */
export function splitIntoBatches(plans: readonly NamePlan[]): readonly (readonly NamePlan[])[] {
  const batches: NamePlan[][] = [];
  let free = { records: 0, characters: 0 };
  for (const plan of plans) {
    const records = plan.changes.flatMap((change) =>
      change.ResourceRecordSet ? recordsOf(change.ResourceRecordSet) : [],
    );
    const characters = records.reduce((sum, record) => sum + (record.Value?.length ?? 0), 0);
    if (batches.length === 0 || records.length > free.records || characters > free.characters) {
      batches.push([]);
      free = { records: recordsPerBatch, characters: charactersPerBatch };
    }
    batches.at(-1)?.push(plan);
    free = { records: free.records - records.length, characters: free.characters - characters };
  }
  return batches;
}

/** Deletes a set as it was read, and creates it again with `records`, unless there are none. */
function replacement(set: ResourceRecordSet, records: readonly ResourceRecord[]): Change[] {
  const removal: Change = { Action: 'DELETE', ResourceRecordSet: set };
  if (records.length === 0) return [removal];
  return [removal, { Action: 'CREATE', ResourceRecordSet: { ...set, ResourceRecords: [...records] } }];
}

function simpleSet(name: string, records: ResourceRecord[]): ResourceRecordSet {
  return { Name: name, Type: 'TXT', TTL: ttlSeconds, ResourceRecords: records };
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
