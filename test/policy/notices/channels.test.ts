// Which channels an installation has.
import { expect, test } from 'vitest';
import { channelsOf } from '../../../lib/policy/notices/channels.ts';
import { readSettings } from '../../../lib/settings/functions.ts';

const slack = { kind: 'slack', secret: 'certrelay/notify/slack', events: ['Degraded'] } as const;
const topic = 'arn:aws:sns:eu-central-1:123456789012:alarms';

test('nobody is told anything where nothing was set, nor where only a topic for alarms was', () => {
  expect(channelsOf({}, readSettings({}))).toEqual([]);
  expect(channelsOf({}, readSettings({ CERTRELAY_ALARM_TOPIC: topic, CERTRELAY_MAILS_CHANGES: '' }))).toEqual(
    [],
  );
});

test('a mail address of the deploy is told until the inventory says who is', () => {
  const settings = readSettings({ CERTRELAY_ALARM_TOPIC: topic, CERTRELAY_MAILS_CHANGES: 'yes' });
  expect(channelsOf({}, settings)).toEqual([{ kind: 'email', events: ['Degraded', 'Recovered'] }]);
  expect(channelsOf({ notifications: [slack] }, settings)).toEqual([slack]);
  expect(channelsOf({ notifications: [] }, settings)).toEqual([]);
});

test('what is no topic, and no queue, is refused', () => {
  expect(() =>
    readSettings({ CERTRELAY_ALARM_TOPIC: 'alarms', CERTRELAY_NOTIFY_QUEUE_URL: 'notify' }),
  ).toThrow(
    /CERTRELAY_NOTIFY_QUEUE_URL must be the URL of an SQS queue; CERTRELAY_ALARM_TOPIC must be the ARN/,
  );
});
