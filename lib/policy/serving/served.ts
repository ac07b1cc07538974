// Decides whether TLS servers present the delivered certificate, and since when they do not.
import { formatEndpoint } from '../../certificate/endpoint.ts';
import { isCovered } from '../../certificate/names.ts';
import type { ProbeEndpoint } from '../../certificate/spec.ts';
import { type SeenServed, type ServedRecord, type ServedWord, servedWords } from '../../state/delivery.ts';
import { isSameValue } from '../../state/same.ts';
import type { CertificateState } from '../../state/state.ts';
import type { ExpectedCertificate, HandshakeOutcome } from './handshake.ts';

/** One probe: the name that was sent (SNI), the address, and the outcome. */
export interface Observation {
  readonly name: string;
  /** Absent if the name has no address, or for `unlooked`. */
  readonly endpoint?: ProbeEndpoint | undefined;
  readonly outcome: HandshakeOutcome;
}

/** How one probe is judged. */
export interface ProbeResult {
  readonly name: string;
  /** Address, with the port if it is not 443; `undefined` if there is none. */
  readonly address: string | undefined;
  readonly served: ServedWord;
  readonly message: string;
  /** How many addresses this entry stands for: DNS gave too many, and these were not probed. */
  readonly unlooked?: number;
}

/** All probes of one certificate: the worst `served`, and one line with the addresses that have it. */
export interface ProbeSummary {
  readonly served: ServedWord;
  readonly message: string;
  readonly results: readonly ProbeResult[];
  /** How many addresses were not probed, because there are too many; absent if all were. */
  readonly unlooked?: number;
}

/** Judges every observation and sums them up. Without any, `served` is `unprobed`. */
export function judgeServed(
  expected: ExpectedCertificate,
  observations: readonly Observation[],
): ProbeSummary {
  const results = observations.map((observation) => judgeObservation(expected, observation));
  const served = worstServed(results);
  const unlooked = results.reduce((sum, result) => sum + (result.unlooked ?? 0), 0);
  const addresses = results
    .filter((result) => result.served === served && wasProbed(result))
    .map(nameAddress);
  const message =
    addresses.length > 0 ? `${served} ${nameAddresses(addresses)}` : 'unprobed: there is no address to probe';
  if (unlooked === 0) return { served, message, results };
  return { served, message: `${message}; ${unlooked} more were not probed`, results, unlooked };
}

function wasProbed({ unlooked }: ProbeResult): boolean {
  return unlooked === undefined;
}

/** The worst `served` of the results; `unprobed` if there are none. */
export function worstServed(results: readonly ProbeResult[]): ServedWord {
  const present = results.filter(wasProbed).map(({ served }) => served);
  return servedWords.findLast((word) => present.includes(word)) ?? 'unprobed';
}

function judgeObservation(
  expected: ExpectedCertificate,
  { name, endpoint, outcome }: Observation,
): ProbeResult {
  const subject = { name, address: endpoint && formatEndpoint(endpoint, 443) };
  switch (outcome.kind) {
    case 'silent':
      return { ...subject, served: 'unreachable', message: outcome.problem };
    case 'unprobed':
      return { ...subject, served: 'unprobed', message: outcome.problem };
    case 'unlooked':
      return { ...subject, served: 'unprobed', message: outcome.problem, unlooked: outcome.count };
    case 'leaf': {
      const { served, message } = judgeLeaf(expected, name, outcome);
      const { remark } = outcome;
      return { ...subject, served, message: remark ? `${message}; ${remark}` : message };
    }
  }
}

function judgeLeaf(
  { fingerprint, previous }: ExpectedCertificate,
  name: string,
  leaf: Extract<HandshakeOutcome, { kind: 'leaf' }>,
): Pick<ProbeResult, 'served' | 'message'> {
  if (leaf.fingerprint === fingerprint)
    return { served: 'served', message: 'serves the current certificate' };
  if (leaf.fingerprint === previous) return { served: 'served', message: 'serves the previous certificate' };
  const other = `${leaf.fingerprint.slice(0, 16)}…, which ends ${leaf.notAfter.toISOString()}`;
  return isCovered(name, leaf.names)
    ? { served: 'stale', message: `serves another certificate for ${name}: ${other}` }
    : { served: 'mismatch', message: `serves a certificate that is not for ${name}: ${other}` };
}

function nameAddress({ name, address }: ProbeResult): string {
  return address ?? name;
}

const mostNamed = 5;

/** Names the first few: a log line must not list a thousand addresses. */
function nameAddresses(addresses: readonly string[]): string {
  const unique = [...new Set(addresses)];
  const rest = unique.length - mostNamed;
  return unique.slice(0, mostNamed).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** What is recorded of earlier probes. */
export type ServedState = Pick<CertificateState, 'served' | 'notServedSince' | 'probedAt'>;

/** What to record after a probe. */
export interface ServedUpdate {
  /** Fields to write; absent if the recorded ones are still good enough. */
  readonly change?: {
    readonly served: ServedRecord;
    readonly notServedSince: Date | null;
    readonly probedAt: Date;
  };
  /** Whether `served` or the version differs from what is recorded. */
  readonly hasChanged: boolean;
  /** Since when another certificate is served somewhere although this version was delivered. */
  readonly notServedSince?: Date | undefined;
}

/** `probedAt` is written again once it is this old; until then a probe without news costs no call. */
const refreshMs = 6 * 3_600_000;

/** How long a finding stands while nobody can look. */
const keptUnseenMs = 24 * 3_600_000;

/** Compares a probe with what is recorded and returns what to record.
 *  `notServedSince` begins with the first probe after delivery that finds another certificate (`stale`,
 *  `mismatch`).
 *  `unreachable` keeps it. `served` and another version end it, and so does `unprobed` once the last look is
 *  a day old: until then what was seen stands. */
export function updateServed(
  before: ServedState,
  probed: {
    readonly version: string;
    readonly served: ServedWord;
    /** Result per target; absent if no target lists addresses. */
    readonly targets?: SeenServed['targets'] | undefined;
    readonly isDelivered: boolean;
    readonly at: Date;
  },
): ServedUpdate {
  const { version, targets, isDelivered, at } = probed;
  const served: ServedRecord = { version, word: probed.served, ...(targets && { targets }) };
  const recordedSince = before.served?.version === version ? before.notServedSince : undefined;
  // An instant in the future is not from us, and would delay the alarm.
  const since = recordedSince !== undefined && recordedSince > at ? at : recordedSince;
  const isUnseen = probed.served === 'unprobed' && since !== undefined && !isOlder(before, at, keptUnseenMs);
  if (isUnseen) return { hasChanged: false, notServedSince: since };
  const started = isOtherCertificate(probed.served) && isDelivered ? (since ?? at) : undefined;
  const notServedSince = probed.served === 'unreachable' ? since : started;
  const hasChanged = before.served?.version !== version || before.served.word !== probed.served;
  const isOld = isOlder(before, at, refreshMs);
  const isSame =
    isSameValue(served, before.served) &&
    !isOld &&
    notServedSince?.getTime() === before.notServedSince?.getTime();
  const change = { served, notServedSince: notServedSince ?? null, probedAt: at };
  return { ...(isSame ? {} : { change }), hasChanged, notServedSince };
}

/** Whether nobody has looked for so long, or the record is of the future. */
function isOlder({ probedAt }: ServedState, at: Date, ms: number): boolean {
  return probedAt === undefined || Math.abs(at.getTime() - probedAt.getTime()) >= ms;
}

/** True for `stale` and `mismatch`: the server presents another certificate than the current one. */
export function isOtherCertificate(word: ServedWord): boolean {
  return word === 'stale' || word === 'mismatch';
}
