// Judges what TLS is served under a certificate's names: whether it is the certificate that was delivered.
import { formatEndpoint } from '../../certificate/endpoint.ts';
import { isCovered } from '../../certificate/names.ts';
import type { ProbeEndpoint } from '../../certificate/spec.ts';
import { type SeenServed, type ServedRecord, type ServedWord, servedWords } from '../../state/delivery.ts';
import { isSameValue } from '../../state/same.ts';
import type { CertificateState } from '../../state/state.ts';

/** What was seen at one address. */
export type HandshakeOutcome =
  /** The certificate of a finished handshake: SHA-256 of its DER, hex; its DNS names; its end. */
  | {
      readonly kind: 'leaf';
      readonly fingerprint: string;
      readonly names: readonly string[];
      readonly notAfter: Date;
    }
  /** Nobody there finished a handshake; `problem` says how that went. */
  | { readonly kind: 'silent'; readonly problem: string }
  /** This machine cannot look there, or must not. */
  | { readonly kind: 'unprobed'; readonly problem: string }
  /** More addresses than are looked at: so many of the name were not. */
  | { readonly kind: 'unlooked'; readonly count: number; readonly problem: string };

/** One look: under which name, where, and what was seen. */
export interface Observation {
  readonly name: string;
  /** Absent where the name has none. */
  readonly endpoint?: ProbeEndpoint | undefined;
  readonly outcome: HandshakeOutcome;
}

/** What one look means. */
export interface ProbeResult {
  readonly name: string;
  /** Address, and port where it is not 443. */
  readonly address: string | undefined;
  readonly served: ServedWord;
  readonly message: string;
  /** Where it stands for addresses that were not looked at, because there are too many: how many. */
  readonly unlooked?: number;
}

/** What all looks together mean: the worst word of those that were taken, and one line that names the addresses it is said of. */
export interface ProbeSummary {
  readonly served: ServedWord;
  readonly message: string;
  readonly results: readonly ProbeResult[];
  /** How many addresses were not looked at, because there are too many; absent where that is none. */
  readonly unlooked?: number;
}

/** @param fingerprint Of the certificate that should be served: SHA-256 of its DER, hex. */
export function judgeServed(fingerprint: string, observations: readonly Observation[]): ProbeSummary {
  const results = observations.map((observation) => judgeOne(fingerprint, observation));
  const served = worstOf(results);
  const unlooked = results.reduce((sum, result) => sum + (result.unlooked ?? 0), 0);
  const addresses = results
    .filter((result) => result.served === served && wasProbed(result))
    .map(nameAddress);
  const message =
    addresses.length > 0
      ? `${served} ${nameAddresses(addresses)}`
      : 'unprobed: there is no address to look at';
  if (unlooked === 0) return { served, message, results };
  return { served, message: `${message}; ${unlooked} more were not looked at`, results, unlooked };
}

function wasProbed({ unlooked }: ProbeResult): boolean {
  return unlooked === undefined;
}

/** The worst word of them; of none, that nobody could look. */
export function worstOf(results: readonly ProbeResult[]): ServedWord {
  const words = results.filter(wasProbed).map(({ served }) => served);
  return servedWords.findLast((word) => words.includes(word)) ?? 'unprobed';
}

function judgeOne(fingerprint: string, { name, endpoint, outcome }: Observation): ProbeResult {
  const subject = { name, address: endpoint && formatEndpoint(endpoint, 443) };
  switch (outcome.kind) {
    case 'silent':
      return { ...subject, served: 'unreachable', message: outcome.problem };
    case 'unprobed':
      return { ...subject, served: 'unprobed', message: outcome.problem };
    case 'unlooked':
      return { ...subject, served: 'unprobed', message: outcome.problem, unlooked: outcome.count };
    case 'leaf': {
      if (outcome.fingerprint === fingerprint) {
        return { ...subject, served: 'served', message: 'serves the current certificate' };
      }
      const other = `${outcome.fingerprint.slice(0, 16)}…, which ends ${outcome.notAfter.toISOString()}`;
      if (isCovered(name, outcome.names)) {
        return { ...subject, served: 'stale', message: `serves another certificate for ${name}: ${other}` };
      }
      return {
        ...subject,
        served: 'mismatch',
        message: `serves a certificate that is not for ${name}: ${other}`,
      };
    }
  }
}

function nameAddress({ name, address }: ProbeResult): string {
  return address ?? name;
}

const mostNamed = 5;

/** The first few: a line of a log is no list of a thousand addresses. */
function nameAddresses(addresses: readonly string[]): string {
  const unique = [...new Set(addresses)];
  const rest = unique.length - mostNamed;
  return unique.slice(0, mostNamed).join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

/** What the state says of what is served. */
export type ServedState = Pick<CertificateState, 'served' | 'notServedSince' | 'probedAt'>;

/** What the state is to say after a look. */
export interface ServedUpdate {
  /** Fields to write; absent where what is written still says enough. */
  readonly change?: {
    readonly served: ServedRecord;
    readonly notServedSince: Date | null;
    readonly probedAt: Date;
  };
  /** The word is another than the one before, or about another version. */
  readonly isNews: boolean;
  /** Since when this version, though delivered, is not what is served everywhere. */
  readonly notServedSince?: Date | undefined;
}

/** `probedAt` may be this old before it is written again: a look that finds nothing new costs no call. */
const refreshMs = 6 * 3_600_000;

/** Time counts from the first look after delivery that found something else; only a look that finds nothing else ends it, an
 *  address that does not answer meanwhile does not. */
export function updateServed(
  before: ServedState,
  probed: {
    readonly version: string;
    readonly served: ServedWord;
    /** Of each target; absent where none tells its addresses. */
    readonly targets?: SeenServed['targets'] | undefined;
    readonly isDelivered: boolean;
    readonly at: Date;
  },
): ServedUpdate {
  const { version, targets, isDelivered, at } = probed;
  const served: ServedRecord = { version, word: probed.served, ...(targets && { targets }) };
  const noted = before.served?.version === version ? before.notServedSince : undefined;
  // An instant to come, which nobody here wrote, would put the alarm off.
  const known = noted !== undefined && noted > at ? at : noted;
  const started = isOther(probed.served) && isDelivered ? (known ?? at) : undefined;
  const notServedSince = probed.served === 'unreachable' ? known : started;
  const isNews = before.served?.version !== version || before.served.word !== probed.served;
  const isOld =
    before.probedAt === undefined || Math.abs(at.getTime() - before.probedAt.getTime()) >= refreshMs;
  const isSame =
    isSameValue(served, before.served) &&
    !isOld &&
    notServedSince?.getTime() === before.notServedSince?.getTime();
  const change = { served, notServedSince: notServedSince ?? null, probedAt: at };
  return { ...(isSame ? {} : { change }), isNews, notServedSince };
}

/** Whether something else is served than should be. */
export function isOther(word: ServedWord): boolean {
  return word === 'stale' || word === 'mismatch';
}
