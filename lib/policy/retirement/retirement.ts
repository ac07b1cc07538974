// Decides whether a certificate is being let go, what its retirement waits for, and when that ends.
import type { CertificateSpec } from '../../certificate/spec.ts';
import type { SpecSource } from '../../certificate/stored.ts';
import type { AgentReport, DeliveryRecord } from '../../state/delivery.ts';
import type { Trouble } from '../../state/health.ts';
import type { CertificateState } from '../../state/state.ts';
import { invokeCommand } from '../commands.ts';
import { describeProgress } from '../delivery/progress.ts';

/** How long others may take for their parts. After that they are given up by name. */
export const mostPartsMs = 7 * 86_400_000;

/** How much longer than for others a deletion waits for the event bus, in milliseconds. */
export const longestForBusMs = 12 * 3_600_000;

/** How long a deleted AWS secret can be restored. */
const windowMs = 30 * 86_400_000;

/** The wish to let a certificate go. `since`: when it was said. `revoke`: its versions are revoked, too. */
export interface Retirement {
  readonly since: Date;
  readonly by: RetiredBy;
  readonly revoke: boolean;
}

/** Code of the trouble that `issue` records while a version that is to be revoked is not. */
export const revocationFailed = 'RevocationFailed';

/** Who said so: a person calls `retire`, a sender calls `DELETE /domains/{name}`, and `discover` finds that
 *  no object asks any more. */
export type RetiredBy = 'person' | 'sender' | 'discovery';

/** A certificate by its tags. */
interface Tagged {
  readonly name: string;
  readonly state: CertificateState;
}

/** The names of the inventory file. */
interface Named {
  readonly certificates: readonly Pick<CertificateSpec, 'name'>[];
}

/** The wish that counts; `undefined` if the certificate stays. A person's word counts more than a sender's.
 *  Whatever tags say, a certificate of the inventory file stays. */
export function findRetirement({ name, state }: Tagged, { certificates }: Named): Retirement | undefined {
  const wish = findWish(state);
  return wish && !certificates.some((spec) => spec.name === name) ? wish : undefined;
}

function findWish({ retire, unregister, gone, source }: CertificateState): Retirement | undefined {
  if (retire?.kind === 'retire') return { since: retire.at, by: 'person', revoke: retire.revoke };
  const isLater = (wish: Date) => wish.getTime() > (retire?.at.getTime() ?? 0);
  if (source === 'registration' && unregister && isLater(unregister))
    return { since: unregister, by: 'sender', revoke: false };
  if (source === 'discovery' && gone?.kind === 'retire' && isLater(gone.at))
    return { since: gone.at, by: 'discovery', revoke: false };
  return undefined;
}

/** The source whose certificates each may let go; a person: all. */
const ownSources = { person: undefined, sender: 'registration', discovery: 'discovery' } as const;

/** Whether a wish may be carried out for a certificate from that source. Tags alone do not tell: the
 *  functions that write the wishes of others than persons also write the tag of the source.
 *  @param source Of the stored specification; absent: there is none. */
export function isHeeded({ by }: Retirement, source: SpecSource | undefined): boolean {
  return by === 'person' || source === ownSources[by];
}

/** Whether a version is one that was in use when a person restored the certificate. Somebody else may have
 *  its key: it is delivered and signed nowhere, and another one is ordered. */
export function isRestored(
  { retire }: Pick<CertificateState, 'retire'>,
  version: string | undefined,
): boolean {
  return retire?.kind === 'restored' && version !== undefined && retire.version === version;
}

/** The record that `deploy`, or an agent in its report, keeps once it has done its part for a version: it
 *  has no target left. */
export function describeLetGo(version: string): DeliveryRecord {
  return describeProgress(version, [], []);
}

/** Whether a record says that. */
export function isLetGo(record: DeliveryRecord | undefined, version: string): boolean {
  const { targets } = describeLetGo(version);
  return record?.version === version && record.targets === targets && record.phases.length === 0;
}

/** Who has a part in letting a certificate go, beside `issue`. */
export type RetirementPart =
  | { readonly kind: 'deploy' }
  | { readonly kind: 'agent'; readonly cluster: string };

/** Who that is, in words. */
export function describePart(part: RetirementPart): string {
  return part.kind === 'deploy' ? 'deploy' : `the agent of cluster ${part.cluster}`;
}

/** How a retirement stands. */
export interface RetirementProgress extends Retirement {
  /** Who has not done its part yet. Empty: nobody is waited for. */
  readonly waitsFor: readonly RetirementPart[];
  /** When those are given up. */
  readonly givesUpAt: Date;
  /** Why its versions are not revoked, as `issue` recorded it. Nobody gives that up but a person. */
  readonly unrevoked: Trouble | undefined;
  /** Whether nobody is waited for any longer, and nothing is left to revoke. */
  readonly isReady: boolean;
  /** One line for people. */
  readonly message: string;
}

/** How a retirement stands, by tags.
 *  @param version The version in use, which `deploy` and agents let go; absent if none was issued: then
 *  nobody is waited for. `status` takes that of the tags. */
export function judgeRetirement(
  retirement: Retirement,
  { state, version }: { readonly state: CertificateState; readonly version: string | undefined },
  now: Date,
): RetirementProgress {
  const waitsFor = version === undefined ? [] : findMissingParts(state, version);
  const givesUpAt = new Date(retirement.since.getTime() + mostPartsMs);
  const { problem } = state;
  const unrevoked = retirement.revoke && problem?.code === revocationFailed ? problem : undefined;
  const isReady = (waitsFor.length === 0 || now >= givesUpAt) && !unrevoked;
  const said = `${describeWish(retirement)} at ${retirement.since.toISOString()}`;
  const names = waitsFor.map(describePart).join(', ');
  const end = 'issue deletes its AWS secret next, or waits for the event bus (the log of issue says so)';
  const stands = unrevoked
    ? `its versions are not revoked (${unrevoked.words}), and it stays until they are`
    : waitsFor.length === 0
      ? `every part is done, and ${end}`
      : now >= givesUpAt
        ? `${names} did not do its part in seven days and is given up; ${end}`
        : `waits for ${names}, until ${givesUpAt.toISOString()} at most`;
  return { ...retirement, waitsFor, givesUpAt, unrevoked, isReady, message: `${said}: ${stands}` };
}

/** The latest time at which the name is free: nobody has done a part, the bus does not take the event, and
 *  the recovery window is 30 days. `undefined` while a revocation fails: that is not given up. */
export function latestEnd(
  { since, revoke }: Pick<Retirement, 'since' | 'revoke'>,
  { problem }: Pick<CertificateState, 'problem'>,
): Date | undefined {
  if (revoke && problem?.code === revocationFailed) return undefined;
  return new Date(since.getTime() + mostPartsMs + longestForBusMs + windowMs);
}

/** Who said that the certificate is to go, as the beginning of a sentence. */
export function describeWish({ by }: Pick<Retirement, 'by'>): string {
  return wishes[by];
}

const wishes: Readonly<Record<RetiredBy, string>> = {
  person: 'retired by a person',
  sender: 'given up by its sender',
  discovery: 'retired because no object asks for it',
};

/** Says that a wish is not carried out, because the value is from a source that could not have it. */
export function describeForged(retirement: Pick<Retirement, 'by'>): string {
  return `its tags say that it is ${describeWish(retirement)}, but its value is from another source: somebody changed the tags, and it is kept`;
}

/** Says what a person does about a name whose AWS secret is scheduled for deletion. */
export function describeDeleted(name: string): string {
  return `the AWS secret of "${name}" is scheduled for deletion, and its name is not free before: restore it (${invokeCommand('retire', { restore: [name] })}), or use another name`;
}

/** An agent has a part if a statement was signed for its cluster. */
function findMissingParts(
  { deployed, signatures, reports }: CertificateState,
  version: string,
): readonly RetirementPart[] {
  const clusters = Object.keys(signatures ?? {}).filter((cluster) => {
    const report: AgentReport | undefined = reports?.[cluster];
    return signatures?.[cluster] !== '' && !isLetGo(report?.deployed, version);
  });
  return [
    ...(isLetGo(deployed, version) ? [] : [{ kind: 'deploy' } as const]),
    ...clusters.map((cluster) => ({ kind: 'agent', cluster }) as const),
  ];
}
