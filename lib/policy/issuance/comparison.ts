// Compares what tags say of a version with its value: tags are an index, and every role that writes them can
// be wrong.
import { createHash } from 'node:crypto';
import type { StoredCertificate, StoredSpec } from '../../certificate/stored.ts';
import type { CertificateFacts } from '../../certificate/x509.ts';
import { type SpecState, stateOf, stateOfSpec } from '../../state/describe.ts';
import { isSameValue } from '../../state/same.ts';
import type { CertificateState } from '../../state/state.ts';
import { actualByTags } from './actual.ts';
import { judge, type Situation } from './decision.ts';
import type { OrderReason } from './reasons.ts';

const dayMs = 86_400_000;
/** How long a disagreement is reported after it was corrected, in milliseconds. */
const reportedMs = dayMs;

/** Whether the certificate's slot of the day lies in `(since, until]`. Each name has one slot, by its
 *  hash: consecutive passes read every value once a day, whatever their interval. False without `since`. */
export function isInShare(name: string, since: Date | undefined, until: Date): boolean {
  const span = since === undefined ? 0 : until.getTime() - since.getTime();
  if (since === undefined || span <= 0) return false;
  if (span >= dayMs) return true;
  const slot = Math.floor((createHash('sha256').update(name).digest().readUIntBE(0, 6) / 2 ** 48) * dayMs);
  const afterSince = (slot - (since.getTime() % dayMs) + 2 * dayMs) % dayMs;
  return afterSince > 0 ? afterSince <= span : false;
}

/** Whether nothing but its tags says that a stored certificate is to be replaced now, or they do not say what
 *  it is. */
export function isToProve(
  entry: Parameters<typeof actualByTags>[0],
  situation: Situation,
  now: Date,
): boolean {
  if (situation.actual.kind !== 'certificate') return false;
  if (actualByTags(entry) === undefined) return true;
  const { decision, reason } = judge(situation, now);
  return decision === 'order' && toldByTags.has(reason);
}

const toldByTags: ReadonlySet<string> = new Set<OrderReason>([
  'NamesChanged',
  'IssuerChanged',
  'ProfileChanged',
  'KeyChanged',
  'Expired',
  'RenewalDue',
]);

/** What the tags of a version must say by its value: the facts of a certificate, or of a specification
 *  without one. */
export type Truth =
  | {
      readonly kind: 'certificate';
      readonly version: string;
      readonly facts: CertificateFacts;
      readonly stored: Pick<StoredCertificate, 'issuer' | 'profile' | 'requestedNames' | 'spec'>;
    }
  | { readonly kind: 'specification'; readonly spec: StoredSpec };

type Fields = ReturnType<typeof stateOf> | SpecState;

/** The fields of the tags that agree with the value. */
export function trueFields(truth: Truth): Fields {
  return truth.kind === 'certificate'
    ? stateOf(truth.version, truth.facts, truth.stored)
    : stateOfSpec(truth.spec);
}

/** Names of the tags' fields that disagree with the value. An absent tag does not disagree, nor does what
 *  the value cannot know, such as the CA's window. */
export function findDisagreements(
  state: CertificateState,
  truth: Truth,
): readonly (keyof CertificateState)[] {
  const fields = trueFields(truth);
  return comparable.filter((field) => {
    const recorded = state[field];
    return (
      recorded !== undefined && field in fields && !isSameValue(recorded, Object(fields)[field] ?? undefined)
    );
  });
}

const comparable = [
  'names',
  'issuer',
  'profile',
  'key',
  'fingerprint',
  'notBefore',
  'notAfter',
  'certificateId',
  'source',
  'domains',
  'targets',
] as const satisfies readonly (keyof CertificateState)[];

/** Whether tags disagreed with their value less than a day ago. */
export function hasDisagreed({ tagsDisagree }: CertificateState, now: Date): boolean {
  const sinceMs = now.getTime() - (tagsDisagree?.getTime() ?? Number.NEGATIVE_INFINITY);
  return sinceMs >= 0 && sinceMs < reportedMs;
}
