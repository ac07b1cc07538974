// Decides what a sender's request to take a registration back changes.
import type { CertificateState } from '../../state/state.ts';

/** What the request does. `accept`: the wish is recorded. `repeated`: it is let go already, and nothing
 *  changes. `late`: the registration, or a person's word that it stays, is newer than the request. */
export type TakingBack = 'accept' | 'repeated' | 'late';

/** Judges a request by when it was sent. The same request sent again changes nothing, whatever was decided
 *  since. */
export function judgeTakingBack(
  {
    createdAt,
    state,
  }: {
    readonly createdAt?: Date | undefined;
    readonly state: Pick<CertificateState, 'retire' | 'unregister'>;
  },
  sentAt: Date,
): TakingBack {
  const { retire, unregister } = state;
  if (retire?.kind === 'retire') return 'repeated';
  const staysSince = Math.max(createdAt?.getTime() ?? 0, retire?.at.getTime() ?? 0);
  const isHeeded = unregister !== undefined && unregister.getTime() > (retire?.at.getTime() ?? 0);
  if (isHeeded) return 'repeated';
  const isOldNews = unregister !== undefined && sentAt <= unregister;
  return isOldNews || sentAt.getTime() + secondMs <= staysSince ? 'late' : 'accept';
}

/** Requests have their time in whole seconds. */
const secondMs = 1_000;
