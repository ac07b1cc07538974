// Decides whether a sender's request to give a name up comes too late.
import type { CertificateState } from '../../state/state.ts';

/** Requests have their time in whole seconds. */
const secondMs = 1_000;

/** Whether the registration, or a person's word that it stays, is newer than the request. A request that has
 *  been heeded once comes too late after that word, too: sent again it changes nothing.
 *  @param sentAt When the request was sent, as its signature says. */
export function isLate(
  {
    createdAt,
    state: { retire, unregister },
  }: {
    readonly createdAt?: Date | undefined;
    readonly state: Pick<CertificateState, 'retire' | 'unregister'>;
  },
  sentAt: Date,
): boolean {
  const staysSince = Math.max(createdAt?.getTime() ?? 0, retire?.at.getTime() ?? 0);
  const isOldNews = unregister !== undefined && sentAt <= unregister;
  return isOldNews || sentAt.getTime() + secondMs <= staysSince;
}
