// What AWS says when Route 53 does not do what was asked, in our words.
import { DnsError } from '../../ports/dns.ts';

/** `route53:<action>` on a resource, for messages. */
export interface CallName {
  readonly action: string;
  /** `hosted zone Z…` and the like; absent where the call is about no one thing. */
  readonly resource?: string;
  /** Whose rights it needs: `the function's IAM role`, or another one. */
  readonly holder: string;
}

/** A call's failure with a code that callers branch on; a DnsError stays as it is. */
export function translateFailure(error: unknown, call: CallName, signal: AbortSignal): DnsError {
  if (error instanceof DnsError) return error;
  const described = `route53:${call.action}${call.resource === undefined ? '' : ` on ${call.resource}`}`;
  if (signal.aborted) {
    return new DnsError('Failed', `the run ended before ${described} was answered`, { cause: signal.reason });
  }
  if (isUnreadable(error)) {
    return new DnsError('Failed', `AWS answered ${described} with something that is not XML`);
  }
  const name = error instanceof Error ? error.name : '';
  if (/^(?:Throttl|TooManyRequests|RequestLimitExceeded|PriorRequestNotComplete)/.test(name)) {
    const message = `AWS throttled ${described}: too many requests in this account, or changes in this zone, at once`;
    return new DnsError('Throttled', message, { cause: error });
  }
  if (
    /^AccessDenied|^UnrecognizedClient|^InvalidClientToken|^SignatureDoesNotMatch|Token|^Credentials/.test(
      name,
    )
  ) {
    const message = `AWS denied ${described}: ${call.holder} needs route53:${call.action} there`;
    return new DnsError('Denied', message, { cause: error });
  }
  return new DnsError('Failed', `${described} failed`, { cause: error });
}

/** The parser quotes what it could not read, and the SDK adds where the rest of it is: neither tells a reader anything. */
function isUnreadable(error: unknown): boolean {
  return (
    error instanceof SyntaxError ||
    (error instanceof Error && error.message.includes('Deserialization error'))
  );
}

/** Why a batch was not carried out. */
export interface Refusal {
  /** `conflict`: somebody else wrote after we read, or the zone is still changing. `refused`: it would be again. */
  readonly kind: 'conflict' | 'refused';
  /** What AWS said of it: of a batch that is refused, only that which is no conflict. */
  readonly said: string;
  readonly cause: unknown;
}

/** A set that is not as it was read, or beside which there was none of the other kind (simple, multivalue answer) then. */
const race =
  /Tried to (?:create|delete) resource record set \[[^\]]*\] but (?:it already exists|it was not found|the values provided do not match the current values)|RRSet with DNS name [^\s,]+, type TXT(?: cannot be created as other RRSets exist with the same name and type|, SetIdentifier [^,]*, and MultiValueAnswer=true cannot be created because a non-multivalue answer RRSet with the same name and type already exists)/g;

/** The refusal that an error of ChangeResourceRecordSets is; `undefined` where it says nothing about the batch. */
export function readRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, name } = error;
  if (name === 'PriorRequestNotComplete') return { kind: 'conflict', said: message, cause: error };
  if (name !== 'InvalidChangeBatch' && name !== 'InvalidInput') return undefined;
  // The API Reference has the messages in a list; what AWS sends has them in one text, in square brackets.
  const listed: unknown = 'messages' in error ? error.messages : undefined;
  const all = Array.isArray(listed) && listed.length > 0 ? listed.join(', ') : message;
  const others = all.replaceAll(race, '').replaceAll(/^[[\],.\s]+|(?<![[\],.\s])[[\],.\s]+$/g, '');
  return others === '' && all.search(race) !== -1
    ? { kind: 'conflict', said: all, cause: error }
    : { kind: 'refused', said: others, cause: error };
}

/** Those of the names that AWS blames. */
export function blamedNames(refusal: Refusal, names: readonly string[]): readonly string[] {
  const words = refusal.said.toLowerCase().split(/[\s'"[\],]+/);
  const blamed = new Set(words.map((word) => word.replace(/(?<!\.)\.+$/, '')));
  return names.filter((name) => blamed.has(name));
}
