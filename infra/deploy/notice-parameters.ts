// Checks the parameters and the inventory of notices together: whom alarms and notices go to.
import type { Inventory } from '../../lib/certificate/spec.ts';

/** Parameters of a deploy about notices; empty, `none` or absent: not set. */
export interface NoticeParameters {
  readonly alarmEmail?: string | undefined;
  readonly alarmTopic?: string | undefined;
}

/** One sentence for each contradiction between the parameters, and between them and the inventory. */
export function findNoticeProblems(
  parameters: NoticeParameters,
  { notifications = [] }: Pick<Inventory, 'notifications'>,
): readonly string[] {
  const { alarmEmail, alarmTopic } = withoutNone(parameters);
  const isBoth = alarmEmail !== '' && alarmTopic !== '';
  const both = 'alarmEmail makes a topic, and alarmTopic names another one; set only one of them';
  const mails = notifications.some(({ kind }) => kind === 'email');
  const hasNone = mails && alarmEmail === '' && alarmTopic === '';
  const none =
    'notifications has email: true, and there is no topic; set --param="alarmEmail=ops@example.com", or alarmTopic';
  return [...(isBoth ? [both] : []), ...(hasNone ? [none] : [])];
}

/** The line that a deploy ends with where it mails alarms; none where it does not. */
export function describeMail(parameters: NoticeParameters): readonly string[] {
  const { alarmEmail } = withoutNone(parameters);
  if (alarmEmail === '') return [];
  return [
    `Alarms are mailed to ${alarmEmail}: nothing arrives before somebody follows the link that AWS mails there.`,
  ];
}

/** The parameters that a deploy keeps of the installation, because nobody says others: alarms that reach
 *  people go on to do so. `none` takes the one of its name out.
 *  @param said What this deploy says; absent or empty: nothing. */
export function keepNotices(
  said: NoticeParameters,
  deployed: NoticeParameters,
): Readonly<Partial<Record<keyof NoticeParameters, string>>> {
  const { alarmEmail, alarmTopic } = withoutNone(said);
  if (alarmEmail !== '' || alarmTopic !== '') return {};
  return {
    ...(said.alarmEmail || !deployed.alarmEmail ? {} : { alarmEmail: deployed.alarmEmail }),
    ...(said.alarmTopic || !deployed.alarmTopic ? {} : { alarmTopic: deployed.alarmTopic }),
  };
}

function withoutNone({ alarmEmail = '', alarmTopic = '' }: NoticeParameters) {
  const known = (value: string) => (value === 'none' ? '' : value);
  return { alarmEmail: known(alarmEmail), alarmTopic: known(alarmTopic) };
}
