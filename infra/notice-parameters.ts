// Checks the parameters and the inventory of notices together: whom alarms and notices go to.
import type { Inventory } from '../lib/certificate/spec.ts';

/** Parameters of a deploy about notices; empty or absent: not set. */
export interface NoticeParameters {
  readonly alarmEmail?: string | undefined;
  readonly alarmTopic?: string | undefined;
}

/** One sentence for each contradiction between the parameters, and between them and the inventory. */
export function findNoticeProblems(
  { alarmEmail = '', alarmTopic = '' }: NoticeParameters,
  { notifications = [] }: Pick<Inventory, 'notifications'>,
): readonly string[] {
  const isBoth = alarmEmail !== '' && alarmTopic !== '';
  const both = 'alarmEmail makes a topic, and alarmTopic names another one; set only one of them';
  const mails = notifications.some(({ kind }) => kind === 'email');
  const hasNone = mails && alarmEmail === '' && alarmTopic === '';
  const none =
    'notifications has email: true, and there is no topic; set --param="alarmEmail=ops@example.com", or alarmTopic';
  return [...(isBoth ? [both] : []), ...(hasNone ? [none] : [])];
}

/** The line that a deploy ends with where it mails alarms; none where it does not. */
export function describeMail({ alarmEmail = '' }: NoticeParameters): readonly string[] {
  if (alarmEmail === '') return [];
  return [
    `Alarms are mailed to ${alarmEmail}: nothing arrives before somebody follows the link that AWS mails there.`,
  ];
}
