// Translates a failed Route 53 call to a DnsError, and reads why AWS refused a batch of changes.
import { DnsError } from '../../ports/dns.ts';
import { readAwsFailure } from '../aws/failure.ts';

/** What a call is named in messages: `route53:<action> on <resource>`. */
export interface CallName {
  /** E.g. `GetHostedZone`. */
  readonly action: string;
  /** E.g. `hosted zone example.com (Z…)`; absent if the call is about no single resource. */
  readonly resource?: string;
  /** Whose IAM rights the call uses, e.g. `the function's IAM role`. */
  readonly holder: string;
}

/** The DnsError for a call's failure: `Throttled`, `Denied`, or `Failed` for everything else, an aborted
 *  signal included. A DnsError is returned unchanged. */
export function translateFailure(error: unknown, call: CallName, signal: AbortSignal): DnsError {
  if (error instanceof DnsError) return error;
  const described = `route53:${call.action}${call.resource === undefined ? '' : ` on ${call.resource}`}`;
  if (signal.aborted) {
    return new DnsError('Failed', `the run ended before ${described} was answered`, { cause: signal.reason });
  }
  const { kind, name, cause } = readAwsFailure(error);
  if (kind === 'unreadable') {
    return new DnsError('Failed', `AWS answered ${described} with something that is not XML`);
  }
  if (kind === 'throttled' || name === 'PriorRequestNotComplete') {
    const message = `AWS throttled ${described}: too many requests in this account, or changes in this zone, at once`;
    return new DnsError('Throttled', message, { cause });
  }
  if (kind === 'denied' || kind === 'unsigned') {
    const message = `AWS denied ${described}: ${call.holder} needs route53:${call.action} there`;
    return new DnsError('Denied', message, { cause });
  }
  return new DnsError('Failed', `${described} failed`, { cause });
}

/** Why AWS refused a batch of changes. */
export interface Refusal {
  /** `conflict`: another writer changed the zone after we read it, or a change is still under way; a new
   *  attempt can succeed. `refused`: the same batch would be refused again. */
  readonly kind: 'conflict' | 'refused';
  /** Text of AWS. For `refused`, without the parts about conflicts. */
  readonly reason: string;
  readonly cause: unknown;
}

/** Texts of AWS about a record set that another writer changed after we read it, or created meanwhile as the
 *  other kind (simple, multivalue answer). */
const conflictText =
  /Tried to (?:create|delete) resource record set \[[^\]]*\] but (?:it already exists|it was not found|the values provided do not match the current values)|RRSet with DNS name [^\s,]+, type TXT(?: cannot be created as other RRSets exist with the same name and type|, SetIdentifier [^,]*, and MultiValueAnswer=true cannot be created because a non-multivalue answer RRSet with the same name and type already exists)/g;

/** The refusal in an error of ChangeResourceRecordSets; `undefined` if the error is not about the batch. */
export function readRefusal(error: unknown): Refusal | undefined {
  if (!(error instanceof Error)) return undefined;
  const { message, name } = error;
  if (name === 'PriorRequestNotComplete') return { kind: 'conflict', reason: message, cause: error };
  if (name !== 'InvalidChangeBatch' && name !== 'InvalidInput') return undefined;
  // The API Reference documents a list of messages; AWS sends one text with all of them in square brackets.
  const messages: unknown = 'messages' in error ? error.messages : undefined;
  const all = Array.isArray(messages) && messages.length > 0 ? messages.join(', ') : message;
  const others = all.replaceAll(conflictText, '').replaceAll(/^[[\],.\s]+|(?<![[\],.\s])[[\],.\s]+$/g, '');
  return others === '' && all.search(conflictText) !== -1
    ? { kind: 'conflict', reason: all, cause: error }
    : { kind: 'refused', reason: others, cause: error };
}

/** The names that AWS mentions in a refusal; empty if it mentions none of them. */
export function blamedNames(refusal: Refusal, names: readonly string[]): readonly string[] {
  const words = refusal.reason.toLowerCase().split(/[\s'"[\],]+/);
  const blamed = new Set(words.map((word) => word.replace(/(?<!\.)\.+$/, '')));
  return names.filter((name) => blamed.has(name));
}
