// The calendar of the next renewals: one row a week, each day with how many certificates fall due.
import { weekdays } from '../certificate/rollout-spec.ts';
import type { CertificateHealth } from '../policy/health/certificate.ts';
import { type CalendarDay, renewalsByDay } from '../policy/issuance/forecast/calendar.ts';
import { countOf } from '../policy/words.ts';
import type { DashboardFacts } from './facts.ts';
import { type Html, html } from './html.ts';

/** Days that the calendar has. */
const length = 90;
/** Names that a day tells. */
const mostNames = 3;
/** Nobody renews what is so. */
const unrenewed: readonly CertificateHealth['reason'][] = ['Unused', 'Abandoned', 'Retiring', 'Paused'];

/** The calendar, folded until a person opens it. */
export function renderCalendar({ at, certificates, entries }: DashboardFacts): Html {
  const renewed = certificates
    .filter(({ reason }) => !unrenewed.includes(reason))
    .map(({ name, renewsAt }) => ({ name, renewsAt, notBefore: entries.get(name)?.state.notBefore }));
  const { days, overdue } = renewalsByDay(renewed, { from: at, days: length, mostNames });
  const sum = days.reduce((total, { renewals }) => total + renewals, 0);
  const late = overdue > 0 ? `, ${overdue} of them overdue` : '';
  const heads = weekdays.map((name) => html`<th role="columnheader" scope="col">${name}</th>`);
  const rows = splitWeeks(days).map(
    (
      week,
    ) => html`<tr role="row">${week.map((day) => html`<td role="cell"${titleOf(day)}>${renderDay(day)}</td>`)}</tr>
`,
  );
  return html`<details><summary>The next ${length} days: ${countOf(sum, 'renewal')}${late}</summary>
<table role="table" class="calendar" aria-label="Renewals of the next ${length} days, by day and week"><thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">${rows}</tbody></table></details>`;
}

/** Weeks from Monday on; `undefined` for days before the first and after the last. */
function splitWeeks(days: readonly CalendarDay[]): readonly (readonly (CalendarDay | undefined)[])[] {
  const first = new Date(days[0]?.day ?? 0).getUTCDay();
  const before = (first + 6) % 7;
  const count = Math.ceil((before + days.length) / 7);
  return Array.from({ length: count }, (_, week) =>
    weekdays.map((__, weekday) => days[week * 7 + weekday - before]),
  );
}

function renderDay(day: CalendarDay | undefined): Html | undefined {
  if (!day) return undefined;
  const date = html`<time datetime="${day.day}">${day.day.slice(5)}</time>`;
  return day.renewals > 0 ? html`${date} <b>${day.renewals}</b>` : date;
}

/** Which certificates it is. */
function titleOf(day: CalendarDay | undefined): Html | undefined {
  if (!day || day.renewals === 0) return undefined;
  const more = day.omitted > 0 ? ` and ${day.omitted} more` : '';
  return html` title="${day.names.join(', ')}${more}"`;
}
