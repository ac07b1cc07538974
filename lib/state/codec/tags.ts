// Writes and reads state on tags: one tag `certrelay:<field>` for each field. No other file knows this
// spelling.
import { keyTypes } from '../../certificate/spec.ts';
import { specSources } from '../../certificate/stored.ts';
import type { ByCluster, CertificateState, StateChange } from '../state.ts';
import { delivery, freeze, resumption, served } from './delivery.ts';
import { owedEvents } from './events.ts';
import { count, type FieldCodec, instant, listOf, namespace, oneOf, text } from './field.ts';
import { acknowledgement, healthNote, trouble } from './health.ts';
import { orderLog, orderOwner, txtJournal, validAuthorizations } from './orders.ts';
import { report } from './report.ts';
import { goneRecord, retireDecision } from './retirement.ts';
import { fromParts, keyPrefix, toParts } from './text.ts';

/** Fields with one tag for each cluster, and the prefix before the cluster's name. infra/agent-role.yaml
 *  allows these keys. */
const byCluster = { signatures: 'agent/', reports: 'agent-report/' } as const;

/** Fields whose tag has another name. */
const tagNames: Readonly<Record<string, string>> = {
  tagsDisagree: 'tags-disagree',
  graceUntil: 'grace-until',
  freeze: 'deliveryHeld',
};

type Field = Exclude<keyof CertificateState, keyof typeof byCluster>;
type Values = { readonly [F in Field]-?: NonNullable<CertificateState[F]> };
type Changes = { readonly [F in Field]?: Values[F] | null | undefined };

// By hand, not by a schema: at 10,000 certificates this is what a pass that finds nothing due does most. A
// tag that cannot be read is one that is not there: somebody changed it, and the certificate is the truth.
const fields: { readonly [F in Field]: FieldCodec<Values[F]> } = {
  version: text,
  names: text,
  issuer: text,
  profile: text,
  key: oneOf(...keyTypes),
  fingerprint: text,
  notBefore: instant,
  notAfter: instant,
  certificateId: text,
  windowStart: instant,
  windowEnd: instant,
  windowOf: text,
  explanationUrl: text,
  askAfter: instant,
  source: oneOf(...specSources),
  place: namespace,
  domains: listOf('/'),
  targets: text,
  order: text,
  orderFor: orderOwner,
  txt: txtJournal,
  orders: orderLog,
  authorizations: validAuthorizations,
  failures: count,
  error: text,
  nextAttempt: instant,
  problem: trouble,
  pausedSince: instant,
  pauseReason: text,
  revoked: listOf('/'),
  revoking: text,
  deployed: delivery,
  deliveredTo: listOf('+'),
  deliveryProblem: trouble,
  acm: listOf('+'),
  freeze,
  resumed: resumption,
  served,
  notServedSince: instant,
  probedAt: instant,
  tagsDisagree: instant,
  graceUntil: instant,
  owedEvents,
  health: healthNote,
  acknowledged: acknowledgement,
  unregister: instant,
  retire: retireDecision,
  gone: goneRecord,
};

const fieldNames = Object.keys(fields).filter((name): name is Field => name in fields);

/** Tags of the change, by key. A cleared field is an empty tag, so that one call is enough. A value too long
 *  for one tag continues in `<key>.1`, `<key>.2` …. */
export function encodeState(change: StateChange): Readonly<Record<string, string>> {
  const { signatures, reports } = change;
  const written = [
    ...fieldNames.flatMap((field) => encodeField(field, change)),
    ...encodeByCluster(byCluster.signatures, signatures, text),
    ...encodeByCluster(byCluster.reports, reports, report),
  ];
  return Object.fromEntries(written.flatMap(([field, value]) => toParts(field, value)));
}

type Written = readonly (readonly [field: string, text: string])[];

function encodeField<F extends Field>(field: F, change: Changes): Written {
  const value = change[field];
  if (value === undefined) return [];
  return [[tagNames[field] ?? field, value === null ? '' : fields[field].write(value)]];
}

function encodeByCluster<T>(
  before: string,
  values: ByCluster<T> | null | undefined,
  codec: FieldCodec<T>,
): Written {
  return Object.entries(values ?? {}).map(([cluster, value]) => [before + cluster, codec.write(value)]);
}

/** State on the tags of an AWS secret. Other people's tags and unreadable tags are ignored. */
export function decodeState(tags: ReadonlyMap<string, string>): CertificateState {
  const found = fieldNames.map((field) => {
    const value = fromParts(tagNames[field] ?? field, tags);
    return [field, value === undefined ? undefined : fields[field].read(value)];
  });
  return {
    ...Object.fromEntries(found),
    signatures: decodeByCluster(byCluster.signatures, tags, text),
    reports: decodeByCluster(byCluster.reports, tags, report),
  };
}

/** `undefined` if no cluster has one, as for most certificates. */
function decodeByCluster<T>(
  before: string,
  tags: ReadonlyMap<string, string>,
  codec: FieldCodec<T>,
): ByCluster<T> | undefined {
  const start = keyPrefix + before;
  const found: (readonly [string, T])[] = [];
  for (const key of tags.keys()) {
    // A dot is in no cluster's name: it stands before the number of a part.
    if (!key.startsWith(start) || key.includes('.', start.length)) continue;
    const written = fromParts(key.slice(keyPrefix.length), tags);
    const value = written === undefined ? undefined : codec.read(written);
    if (value !== undefined) found.push([key.slice(start.length), value]);
  }
  return found.length > 0 ? Object.fromEntries(found) : undefined;
}
