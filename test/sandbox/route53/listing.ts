// Route 53's three lists and their pages: hosted zones by id, hosted zones by name, record sets of a zone.
import type { Answer } from '../http-server.ts';
import { compareKeys, type RecordSet } from './change-batch.ts';
import type { HostedZone } from './hosted-zone.ts';
import { canonicalName, compareNames } from './names.ts';
import { answerXml, errorXml } from './protocol.ts';
import { tag } from './xml.ts';

const zonesPerPage = 100;
const recordSetsPerPage = 300;

/** ListHostedZones: 100 a page; the marker is the id of the page's first zone. */
export function listZones(zones: readonly HostedZone[], query: URLSearchParams): Answer {
  const marker = query.get('marker');
  const start = marker === null ? 0 : zones.findIndex((zone) => zone.id === marker);
  const size = pageSize(query, zonesPerPage);
  if (start === -1) return errorXml(400, 'InvalidInput', `Could not find hosted zone with ID: ${marker}`);
  if (size === undefined) return invalidSize();
  const next = zones[start + size];
  return answerXml('ListHostedZonesResponse', [
    tag('HostedZones', zones.slice(start, start + size).map(zoneXml)),
    tag('Marker', marker ?? undefined),
    tag('IsTruncated', next !== undefined),
    tag('NextMarker', next?.id),
    tag('MaxItems', size),
  ]);
}

/** ListHostedZonesByName: ordered by name with the labels reversed, from `dnsname` on. */
export function listByName(zones: readonly HostedZone[], query: URLSearchParams): Answer {
  const [name, id] = [query.get('dnsname'), query.get('hostedzoneid')];
  const size = pageSize(query, zonesPerPage);
  if (size === undefined) return invalidSize();
  if (id !== null && name === null) return errorXml(400, 'InvalidInput', 'hostedzoneid needs dnsname');
  const from = name === null ? undefined : { name: canonicalName(name), id: id ?? '' };
  const sorted = zones.toSorted(compareZones).filter((zone) => !from || compareZones(zone, from) >= 0);
  const next = sorted[size];
  return answerXml('ListHostedZonesByNameResponse', [
    tag('HostedZones', sorted.slice(0, size).map(zoneXml)),
    tag('DNSName', name ?? undefined),
    tag('HostedZoneId', id ?? undefined),
    tag('IsTruncated', next !== undefined),
    tag('NextDNSName', next?.name),
    tag('NextHostedZoneId', next?.id),
    tag('MaxItems', size),
  ]);
}

/** ListResourceRecordSets: 300 a page, from `name`, `type` and `identifier` on. */
export function listRecordSets(zone: HostedZone, query: URLSearchParams): Answer {
  const [name, type, identifier] = [query.get('name'), query.get('type'), query.get('identifier')];
  const size = pageSize(query, recordSetsPerPage);
  if (size === undefined) return invalidSize();
  if ((type !== null && name === null) || (identifier !== null && type === null)) {
    return errorXml(
      400,
      'InvalidInput',
      'The input is not valid: type needs name, and identifier needs type.',
    );
  }
  const from: RecordSet = {
    name: canonicalName(name ?? ''),
    type: type ?? '',
    setIdentifier: identifier ?? '',
    ttl: 0,
    values: [],
  };
  const sets = name === null ? zone.list() : zone.list().filter((set) => compareKeys(set, from) >= 0);
  const next = sets[size];
  return answerXml('ListResourceRecordSetsResponse', [
    tag('ResourceRecordSets', sets.slice(0, size).map(recordSetXml)),
    tag('IsTruncated', next !== undefined),
    tag('NextRecordName', next?.name),
    tag('NextRecordType', next?.type),
    tag('NextRecordIdentifier', next?.setIdentifier),
    tag('MaxItems', size),
  ]);
}

export function zoneXml(zone: HostedZone): string | undefined {
  return tag('HostedZone', [
    tag('Id', `/hostedzone/${zone.id}`),
    tag('Name', zone.name),
    tag('CallerReference', `sandbox-${zone.id}`),
    tag('Config', [tag('PrivateZone', zone.isPrivate)]),
    tag('ResourceRecordSetCount', zone.list().length),
  ]);
}

function recordSetXml(set: RecordSet): string | undefined {
  return tag('ResourceRecordSet', [
    tag('Name', set.name),
    tag('Type', set.type),
    tag('SetIdentifier', set.setIdentifier),
    tag('MultiValueAnswer', set.multiValueAnswer),
    tag('TTL', set.ttl),
    tag(
      'ResourceRecords',
      set.values.map((value) => tag('ResourceRecord', [tag('Value', value)])),
    ),
  ]);
}

/** More than a page holds is a page; `undefined` where it is not a positive number. */
function pageSize(query: URLSearchParams, most: number): number | undefined {
  const size = Number(query.get('maxitems') ?? most);
  return Number.isInteger(size) && size > 0 ? Math.min(size, most) : undefined;
}

function invalidSize(): Answer {
  return errorXml(400, 'InvalidInput', 'maxitems is not a positive number');
}

function compareZones(
  a: { readonly name: string; readonly id: string },
  b: { readonly name: string; readonly id: string },
): number {
  const byName = compareNames(a.name, b.name);
  if (byName !== 0) return byName;
  return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
}
