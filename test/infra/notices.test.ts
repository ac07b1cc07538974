// What a deploy makes for notices, and what it refuses.
import { beforeAll, expect, test } from 'vitest';
import { describeMail, findNoticeProblems, keepNotices } from '../../infra/deploy/notice-parameters.ts';
import { readPackagedService, type Template } from './packaged.ts';
import { readPolicies } from './policies.ts';

const alarmEmail = 'ops@example.com';
const alarmTopic = 'arn:aws:sns:eu-central-1:123456789012:alarms';
const email = { kind: 'email', events: ['Degraded'] } as const;
const account = { region: 'eu-central-1', account: '123456789012', arns: { NoticeTopic: 'arn:own' } };

let template: Template;
beforeAll(async () => {
  ({ template } = await readPackagedService());
}, 120_000);

test('one of the two topics is enough, and mail needs one', () => {
  expect(findNoticeProblems({ alarmEmail, alarmTopic: '' }, { notifications: [email] })).toEqual([]);
  expect(findNoticeProblems({ alarmTopic }, { notifications: [email] })).toEqual([]);
  expect(findNoticeProblems({}, {})).toEqual([]);
  expect(findNoticeProblems({ alarmEmail, alarmTopic }, {})).toEqual([
    expect.stringContaining('only one of them'),
  ]);
  expect(findNoticeProblems({}, { notifications: [email] })).toEqual([
    expect.stringContaining('alarmEmail='),
  ]);
});

test.for([
  ['nothing', {}, { alarmEmail }, { alarmEmail }],
  ['nothing, where a topic of its own is deployed', {}, { alarmTopic }, { alarmTopic }],
  ['nothing, where nobody is alerted', {}, {}, {}],
  ['an empty address', { alarmEmail: '' }, { alarmEmail }, { alarmEmail }],
  ['another address', { alarmEmail: 'new@example.com' }, { alarmEmail }, {}],
  ['a topic in place of the address', { alarmTopic }, { alarmEmail }, {}],
  ['none', { alarmEmail: 'none' }, { alarmEmail }, {}],
  ['none of the other', { alarmTopic: 'none' }, { alarmEmail }, { alarmEmail }],
] as const)('an installation goes on to alert whom it alerted: a deploy says %s', ([
  ,
  said,
  deployed,
  kept,
]) => {
  expect(keepNotices(said, deployed)).toEqual(kept);
});

test('none is nobody', () => {
  expect(findNoticeProblems({ alarmEmail: 'none', alarmTopic }, {})).toEqual([]);
  expect(findNoticeProblems({ alarmEmail: 'none' }, { notifications: [email] })).toHaveLength(1);
  expect(describeMail({ alarmEmail: 'none' })).toEqual([]);
});

test('notify may publish on the one topic that there is, and on none where there is none', () => {
  const topics = (parameters: Readonly<Record<string, string>>) =>
    readPolicies(template, { ...account, parameters })
      .notify?.filter(({ actions }) => actions.includes('sns:Publish'))
      .flatMap(({ resources }) => resources);
  expect(topics({})).toEqual([]);
  expect(topics({ AlarmTopic: alarmTopic })).toEqual([alarmTopic]);
  expect(topics({ AlarmEmail: alarmEmail })).toEqual(['arn:own']);
});

test('without a mail address no topic is made, and nobody is mailed', () => {
  const { NoticeTopic, NoticeMail, NotifyLambdaFunction, StatusLambdaFunction } = template.Resources;
  expect([NoticeTopic?.Condition, NoticeMail?.Condition]).toEqual(['MailsAlarms', 'MailsAlarms']);
  expect(template.Parameters.AlarmEmail?.Default).toBe('');
  for (const { Properties } of [NotifyLambdaFunction, StatusLambdaFunction].filter(
    (one) => one !== undefined,
  )) {
    expect(Properties.Environment).toMatchObject({
      Variables: { CERTRELAY_MAILS_CHANGES: { 'Fn::If': ['MailsAlarms', 'yes', ''] } },
    });
  }
});

test('a message that fails three times waits two weeks, and hides six times as long as the function may take', () => {
  const { NotifyQueue, NotifyDeadLetters, NotifyLambdaFunction } = template.Resources;
  expect(NotifyQueue?.Properties).toMatchObject({
    RedrivePolicy: { maxReceiveCount: 3 },
    VisibilityTimeout: 360,
  });
  expect(NotifyDeadLetters?.Properties).toMatchObject({ MessageRetentionPeriod: 1_209_600 });
  expect(NotifyLambdaFunction?.Properties).toMatchObject({ Timeout: 60 });
});

test('notify knows the name of the dashboard, which notices link to', () => {
  const { Dashboard, NotifyLambdaFunction } = template.Resources;
  const name = Dashboard?.Properties.DashboardName;
  expect(name).toEqual({ Ref: 'AWS::StackName' });
  expect(NotifyLambdaFunction?.Properties.Environment).toMatchObject({
    Variables: { CERTRELAY_DASHBOARD: name },
  });
});
