// Renders notices for PagerDuty: events v2, one for each cause, that open and close incidents.
import { hash } from 'node:crypto';
import type { HealthNotice, Notice, NoticeEntry } from '../../policy/notices/notice.ts';
import { describeHealth, describeSubject, factsOf, testSentence } from '../../policy/notices/text.ts';
import type { PostRequest } from './http.ts';

/** Where events go, unless the inventory names another service region. */
export const pagerDutyUrl = 'https://events.pagerduty.com/v2/enqueue';

/** Longest texts that PagerDuty takes, in characters. */
const limits = { summary: 1_024, key: 255 } as const;

/** One post for each cause; or the words of what is wrong with the routing key. A test opens an incident of
 *  severity `info` and closes it. Other notices have none. */
export function renderPagerDuty(
  notice: Notice,
  { key, url = pagerDutyUrl }: { readonly key: string; readonly url?: string | undefined },
): readonly PostRequest[] | { readonly problem: string } {
  const routingKey = key.trim();
  if (!/^[A-Za-z0-9]{32}$/.test(routingKey))
    return { problem: 'must be a routing key: 32 letters and digits' };
  const { dashboard: client_url } = notice;
  return eventsOf(notice).map((event) => ({
    url,
    secret: routingKey,
    body: JSON.stringify({ routing_key: routingKey, client: 'Certrelay', client_url, ...event }),
  }));
}

function eventsOf(notice: Notice): readonly object[] {
  switch (notice.event) {
    case 'Degraded':
      return notice.entries.map((entry) => trigger(notice, entry));
    case 'Recovered':
      return [...notice.entries.map(({ subject }) => subject), ...notice.others].map((subject) => ({
        event_action: 'resolve',
        dedup_key: dedupKey(notice, subject),
      }));
    case 'Test': {
      const dedup = { dedup_key: `certrelay/${notice.installation}/test`.slice(0, limits.key) };
      const payload = { summary: testSentence, source: notice.installation, severity: 'info' };
      return [
        { event_action: 'trigger', ...dedup, payload },
        { event_action: 'resolve', ...dedup },
      ];
    }
    case 'Issued':
    case 'Digest':
      return [];
  }
}

function trigger(notice: HealthNotice, entry: NoticeEntry): object {
  const { subject, message, reason, since, certificates, command } = entry;
  return {
    event_action: 'trigger',
    dedup_key: dedupKey(notice, subject),
    payload: {
      summary: `${describeSubject(subject)} ${describeHealth(entry)}: ${message}`.slice(0, limits.summary),
      source: notice.installation,
      severity: 'error',
      timestamp: since.toISOString(),
      component: subject.name,
      group: subject.kind,
      class: reason,
      custom_details: { facts: factsOf(entry), certificates, next: command },
    },
  };
}

/** The same for the trouble and its end; of names that are too long, a hash. */
function dedupKey({ installation }: HealthNotice, { kind, name }: NoticeEntry['subject']): string {
  const key = `certrelay/${installation}/${kind}/${name}`;
  return key.length <= limits.key ? key : `certrelay/${hash('sha256', key)}`;
}
