// One ChangeResourceRecordSets batch against a zone's record sets: all of it, or none and the reasons why.
import { canonicalName, compareNames } from './names.ts';
import { readValue, recordTypes } from './record-value.ts';

/** `name` is canonical (see names.ts). Routing policies other than simple and multivalue answer are not
 *  played here. */
export interface RecordSet {
  readonly name: string;
  readonly type: string;
  readonly ttl: number;
  readonly values: readonly string[];
  readonly setIdentifier?: string;
  readonly multiValueAnswer?: boolean;
}

export interface Change {
  readonly action: 'CREATE' | 'DELETE' | 'UPSERT';
  readonly set: RecordSet;
}

export type RecordSets = ReadonlyMap<string, RecordSet>;

export function keyOf(set: RecordSet): string {
  return [set.name, set.type, set.setIdentifier ?? ''].join(' ');
}

/** Listing order: by name, then by type, then by set identifier. */
export function compareKeys(a: RecordSet, b: RecordSet): number {
  const byName = compareNames(a.name, b.name);
  if (byName !== 0) return byName;
  if (a.type !== b.type) return a.type < b.type ? -1 : 1;
  const [left, right] = [a.setIdentifier ?? '', b.setIdentifier ?? ''];
  return left === right ? 0 : left < right ? -1 : 1;
}

/** The record sets after the batch, or the messages of an InvalidChangeBatch. Changes are carried out in
 *  their order. */
export function applyBatch(
  zone: string,
  current: RecordSets,
  changes: readonly Change[],
): { readonly sets: RecordSets } | { readonly messages: readonly string[] } {
  const messages = [...checkSize(changes), ...checkRepeats(changes)];
  if (messages.length > 0) return { messages };
  const sets = new Map(current);
  for (const change of changes) {
    const problem = checkChange(zone, sets, change);
    if (problem !== undefined) messages.push(problem);
    else if (change.action === 'DELETE') sets.delete(keyOf(change.set));
    else sets.set(keyOf(change.set), change.set);
  }
  messages.push(...checkApex(zone, sets));
  return messages.length > 0 ? { messages } : { sets };
}

/** API Reference, ChangeResourceRecordSets, "Limits": an UPSERT counts twice. */
function checkSize(changes: readonly Change[]): string[] {
  let records = 0;
  let characters = 0;
  for (const { action, set } of changes) {
    const weight = action === 'UPSERT' ? 2 : 1;
    records += weight * set.values.length;
    characters += weight * set.values.reduce((sum, value) => sum + value.length, 0);
  }
  const messages: string[] = [];
  if (records > 1000) messages.push('Number of records limit of 1000 exceeded.');
  if (characters > 32_000) messages.push('Number of characters limit of 32000 exceeded.');
  return messages;
}

function checkRepeats(changes: readonly Change[]): string[] {
  const seen = new Map<string, string>();
  const repeated = new Set<string>();
  for (const { action, set } of changes) {
    const key = keyOf(set);
    const before = seen.get(key);
    if (before !== undefined && !(before === 'DELETE' && action === 'CREATE')) {
      repeated.add(
        `The request contains an invalid set of changes for a resource record set '${set.type} ${set.name}'`,
      );
    }
    seen.set(key, before === undefined ? action : 'changed twice');
  }
  return [...repeated];
}

function checkChange(zone: string, sets: RecordSets, { action, set }: Change): string | undefined {
  if (set.name !== zone && !set.name.endsWith(`.${zone}`)) {
    return `RRSet with DNS name ${set.name} is not permitted in zone ${zone}`;
  }
  const existing = sets.get(keyOf(set));
  const identifier = set.setIdentifier === undefined ? '' : `, set-identifier='${set.setIdentifier}'`;
  const described = `resource record set [name='${set.name}', type='${set.type}'${identifier}]`;
  if (action === 'DELETE') {
    if (!existing) return `Tried to delete ${described} but it was not found`;
    return isSame(existing, set)
      ? undefined
      : `Tried to delete ${described} but the values provided do not match the current values`;
  }
  if (action === 'CREATE' && existing) return `Tried to create ${described} but it already exists`;
  return checkValues(set) ?? checkNeighbours(zone, sets, set);
}

function isSame(a: RecordSet, b: RecordSet): boolean {
  return (
    a.ttl === b.ttl &&
    a.multiValueAnswer === b.multiValueAnswer &&
    a.values.length === b.values.length &&
    a.values.toSorted().join('\n') === b.values.toSorted().join('\n')
  );
}

function checkValues(set: RecordSet): string | undefined {
  const [repeated] = set.values.filter((value, index) => set.values.indexOf(value) !== index);
  if (repeated !== undefined) return `Duplicate Resource Record: '${repeated}'`;
  return set.values
    .map((value) => readValue(set.type, value).problem)
    .find((problem) => problem !== undefined);
}

/** What may stand beside what at one name. */
function checkNeighbours(zone: string, sets: RecordSets, set: RecordSet): string | undefined {
  const named = `DNS name ${set.name}`;
  if (set.type === 'CNAME' && set.name === zone) {
    return `RRSet of type CNAME with ${named} is not permitted at apex in zone ${zone}`;
  }
  const others = [...sets.values()].filter((other) => other.name === set.name && keyOf(other) !== keyOf(set));
  const ofOtherTypes = others.filter((other) => other.type !== set.type);
  if (set.type === 'CNAME' && ofOtherTypes.length > 0) {
    return `RRSet of type CNAME with ${named} is not permitted as it conflicts with other records with the same DNS name in zone ${zone}`;
  }
  if (ofOtherTypes.some((other) => other.type === 'CNAME')) {
    return `RRSet of type ${set.type} with ${named} is not permitted because a conflicting RRSet of type CNAME with the same DNS name already exists in zone ${zone}`;
  }
  const ofSameType = others.filter((other) => other.type === set.type);
  if (ofSameType.length > 0 && set.setIdentifier === undefined) {
    return `RRSet with ${named}, type ${set.type} cannot be created as other RRSets exist with the same name and type.`;
  }
  if (ofSameType.some((other) => other.multiValueAnswer !== set.multiValueAnswer)) {
    return `RRSet with ${named}, type ${set.type}, SetIdentifier ${set.setIdentifier}, and MultiValueAnswer=true cannot be created because a non-multivalue answer RRSet with the same name and type already exists.`;
  }
  return undefined;
}

function checkApex(zone: string, sets: RecordSets): string[] {
  const types = [...sets.values()].filter((set) => set.name === zone).map((set) => set.type);
  const messages: string[] = [];
  if (!types.includes('SOA')) messages.push('A HostedZone must contain exactly one SOA record.');
  if (!types.includes('NS')) {
    messages.push('A HostedZone must contain at least one NS record for the zone itself.');
  }
  return messages;
}

/** A change from the fields of the request; a sentence where Route 53 answers InvalidInput before it looks at
 *  the zone. */
export function readChange(fields: {
  readonly action: string | undefined;
  readonly name: string | undefined;
  readonly type: string | undefined;
  readonly ttl: string | undefined;
  readonly values: readonly string[];
  readonly setIdentifier: string | undefined;
  readonly multiValueAnswer: string | undefined;
}): Change | string {
  const { action, name, type, ttl, values, setIdentifier } = fields;
  if (action !== 'CREATE' && action !== 'DELETE' && action !== 'UPSERT') {
    return `Invalid XML ; cvc-enumeration-valid: Value '${action}' is not facet-valid with respect to enumeration '[CREATE, DELETE, UPSERT]'.`;
  }
  if (!name || !type || !recordTypes.includes(type))
    return 'Invalid XML ; a record set needs Name and a Type that is supported.';
  const where = `Change with [Action=${action}, Name=${canonicalName(name)}, Type=${type}, SetIdentifier=${setIdentifier ?? null}]`;
  if (values.length === 0 || ttl === undefined || !/^\d{1,10}$/.test(ttl)) {
    return `Invalid request: Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords], or TrafficPolicyInstanceId], but found none in ${where}`;
  }
  const isMultiValue = fields.multiValueAnswer === 'true';
  if (isMultiValue !== (setIdentifier !== undefined)) {
    const missing = isMultiValue
      ? 'SetIdentifier'
      : 'MultiValueAnswer, Weight, Region, Failover, or GeoLocation';
    return `Invalid request: Missing field '${missing}' in ${where}`;
  }
  return {
    action,
    set: {
      name: canonicalName(name),
      type,
      ttl: Number(ttl),
      values,
      ...(setIdentifier === undefined ? {} : { setIdentifier }),
      ...(isMultiValue ? { multiValueAnswer: true } : {}),
    },
  };
}
