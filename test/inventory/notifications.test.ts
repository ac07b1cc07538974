// What the inventory may say of channels for notices.
import { expect, test } from 'vitest';
import { channelName } from '../../lib/certificate/notice-spec.ts';
import { parseInventory, serializeInventory } from '../../lib/inventory/inventory.ts';

function parse(notifications: unknown) {
  const issuers = { default: { agreeToTerms: true } };
  return parseInventory(JSON.stringify({ issuers, notifications }));
}

/** `path: message` of each mistake. */
function mistakesIn(notifications: unknown): readonly string[] {
  const parsed = parse(notifications);
  return 'problems' in parsed ? parsed.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

const slack = { slack: { secret: '{prefix}/notify/slack' } };
const ops = { webhook: { url: 'https://ops.example.com/hooks', secret: 'lab/x/notify/ops' } };

test('every kind of channel is read, with defaults, and written back the same', () => {
  const parsed = parse([
    slack,
    { teams: { secret: 'certrelay/notify/chat' }, events: ['Issued'] },
    {
      pagerduty: { secret: 'certrelay/notify/pagerduty', url: 'https://events.eu.pagerduty.com/v2/enqueue' },
    },
    { ...ops, events: [], digest: 'daily 07:05 UTC' },
    { email: true, events: ['Degraded', 'Issued'], digest: 'Sun 23:59 America/Argentina/Buenos_Aires' },
  ]);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  const { notifications = [] } = parsed.inventory;
  expect(notifications.map(channelName)).toEqual([
    'slack',
    'teams chat',
    'pagerduty',
    'webhook ops',
    'email',
  ]);
  expect(notifications[0]).toEqual({
    kind: 'slack',
    secret: '{prefix}/notify/slack',
    events: ['Degraded', 'Recovered'],
  });
  expect(notifications[3]?.digest).toEqual({ day: 'daily', hour: 7, minute: 5, zone: 'UTC' });
  expect(parseInventory(serializeInventory(parsed.inventory))).toEqual(parsed);
  expect(mistakesIn([])).toEqual([]);
});

test.each([
  ['no list', 'slack', /^notifications: is "slack"; write a list$/],
  [
    'no kind',
    [{ events: ['Degraded'] }],
    /: must have exactly one of slack, teams, pagerduty, webhook, email/,
  ],
  ['two kinds', [{ ...slack, email: true }], /: must have exactly one of/],
  [
    'an unknown kind',
    [{ discord: { secret: 'x' } }],
    /\.discord: is not a known key; known keys: slack, teams/,
  ],
  ['no secret', [{ slack: {} }], /\.slack\.secret: is missing/],
  ['a URL in the file', [{ slack: 'https://hooks.slack.com/services/x' }], /\.slack: is "https:/],
  [
    'a URL as secret',
    [{ slack: { secret: 'https://hooks.slack.com/x' } }],
    /is not the name of an AWS secret/,
  ],
  [
    'a secret elsewhere',
    [{ slack: { secret: 'certrelay/clusters/lab' } }],
    /must be below notify\/ .*"\{prefix\}\/notify\/slack"/,
  ],
  ['a secret deeper down', [{ slack: { secret: 'certrelay/notify/a/b' } }], /must be below notify\//],
  [
    'http',
    [{ webhook: { ...ops.webhook, url: 'http://ops.example.com' } }],
    /"http:\/\/ops.example.com" is not a URL for notices/,
  ],
  [
    'credentials in a URL',
    [{ webhook: { ...ops.webhook, url: 'https://a:b@ops.example.com' } }],
    /is not a URL for notices/,
  ],
  ['no URL', [{ webhook: { secret: 'certrelay/notify/ops' } }], /\.webhook\.url: is missing/],
  ['email: false', [{ email: false }], /\.email: is false; write true, or remove the entry/],
  ['email with an address', [{ email: 'ops@example.com' }], /write true/],
  [
    'an unknown event',
    [{ ...slack, events: ['Expired'] }],
    /\.events\[0\]: is "Expired"; write one of Degraded, Recovered, Issued/,
  ],
  ['an event twice', [{ ...slack, events: ['Issued', 'Issued'] }], /\.events: repeats an event/],
  ['nothing to tell', [{ ...slack, events: [] }], /\.events: is empty, and there is no digest/],
  [
    'a digest without zone',
    [{ ...slack, digest: 'Mon 08:00' }],
    /\.digest: "Mon 08:00" is not a time for a digest; use e\.g\. "Mon 08:00 Europe\/Berlin"/,
  ],
  ['an unknown zone', [{ ...slack, digest: 'Mon 08:00 Europe/Bonn' }], /has an unknown time zone/],
  ['an offset', [{ ...slack, digest: 'Mon 08:00 +01:00' }], /has an unknown time zone/],
  ['no such hour', [{ ...slack, digest: 'Mon 24:00 UTC' }], /is not a time for a digest/],
  ['no such day', [{ ...slack, digest: 'Monday 08:00 UTC' }], /is not a time for a digest/],
  ['hostile text', [{ ...slack, digest: '\u001b[31m<b>\n'.repeat(50) }], /is not a time for a digest/],
  [
    'a pager with a digest',
    [{ pagerduty: { secret: 'certrelay/notify/p' }, digest: 'daily 08:00 UTC' }],
    /\.digest: is not for a pager/,
  ],
  [
    'a pager for what was issued',
    [{ pagerduty: { secret: 'certrelay/notify/p' }, events: ['Issued'] }],
    /\.events: has Issued/,
  ],
] as const)('%s is refused with its place', (_, notifications, message) => {
  const mistakes = mistakesIn(notifications);
  expect(mistakes[0]).toMatch(message);
  expect(mistakes.length).toBeLessThanOrEqual(2);
  expect(mistakes[0]).toMatch(/^notifications/);
  expect(mistakes[0]).not.toMatch(/[\p{Cc}]/u);
  expect(mistakes[0]?.length).toBeLessThan(400);
});

test('a channel that is there twice is refused, and so is an eleventh', () => {
  expect(mistakesIn([slack, ops, { ...slack, events: ['Issued'] }])).toEqual([
    expect.stringMatching(
      /^notifications\[2\]: is the same channel as notifications\[0\]; remove one of the two/,
    ),
  ]);
  expect(mistakesIn([slack, { teams: { secret: '{prefix}/notify/slack' } }])).toHaveLength(1);
  expect(mistakesIn([{ email: true }, { email: true }])).toHaveLength(1);
  expect(mistakesIn([slack, { slack: { secret: 'certrelay/notify/oncall' } }])).toEqual([]);
  const many = (count: number) =>
    Array.from({ length: count }, (_, index) => ({ slack: { secret: `certrelay/notify/n${index}` } }));
  expect(mistakesIn(many(10))).toEqual([]);
  expect(mistakesIn(many(11))).toEqual([expect.stringMatching(/^notifications: has more than 10 channels/)]);
});
