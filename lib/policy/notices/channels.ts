// The channels of an installation.
import type { NoticeChannel } from '../../certificate/notice-spec.ts';
import type { Inventory } from '../../certificate/spec.ts';

/** The channels that notices go to: those of the inventory, or, if it says nothing of them and a deploy made
 *  a topic for a mail address (`mailsChanges`), that address. */
export function channelsOf(
  { notifications }: Pick<Inventory, 'notifications'>,
  { mailsChanges }: { readonly mailsChanges?: boolean | undefined },
): readonly NoticeChannel[] {
  if (notifications !== undefined) return notifications;
  return mailsChanges ? [{ kind: 'email', events: ['Degraded', 'Recovered'] }] : [];
}

/** Whether the channel opens and closes incidents. */
export function keepsIncidents({ kind }: NoticeChannel): boolean {
  return kind === 'pagerduty';
}
