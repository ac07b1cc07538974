// The page of one certificate: what is stored, what each target holds, why, and what can be done.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import type { TargetHealth } from '../policy/health/targets.ts';
import { type Pause, pauseOf } from '../policy/issuance/pause.ts';
import type { StoreEntry } from '../ports/store.ts';
import type { DashboardRequest } from '../requests/dashboard.ts';
import { type Endpoints, pageButton } from './actions.ts';
import { conditionColumns, targetColumns } from './columns.ts';
import { renderDeeds } from './deeds.ts';
import type { DashboardFacts } from './facts.ts';
import { eventOf } from './filter.ts';
import { type Html, type HtmlPart, html } from './html.ts';
import { renderLife } from './lifetime.ts';
import { renderCommand } from './overview.ts';
import { renderNext } from './table.ts';
import { renderHealth, renderNames, renderText, renderTime } from './words.ts';

/** The page of the certificate that the request names. */
export function renderCertificate(
  { certificates, entries, at }: DashboardFacts,
  request: DashboardRequest,
  endpoints: Endpoints,
): Html {
  const { certificate: name = '' } = request;
  const back = pageButton('Back to all certificates', eventOf(request), endpoints);
  const found = certificates.find((one) => one.name === name);
  if (!found) {
    return html`<h2>${renderText(name)}</h2><p>${back}</p><p>No certificate is called that, neither in the inventory nor by registration.</p>`;
  }
  const entry = entries.get(name);
  return html`<h2>${renderText(name)}</h2><p>${back}</p>
<p>${renderHealth(found.health)} <strong>${found.reason}</strong>${found.since && html` since ${renderTime(found.since)}`}: ${renderText(found.message, 2_000)}${renderCommand(found.command)}</p>
${renderDeeds(found, { ...entry?.state, at }, endpoints)}
${renderFacts(found, entry, at)}
<h3>Conditions</h3>${renderConditions(found)}
<h3>Targets</h3>${renderTargetTable(found.targets)}`;
}

function renderFacts(found: CertificateHealth, entry: StoreEntry | undefined, now: Date): Html {
  const state = entry?.state ?? {};
  const { failures, error, nextAttempt, issuer, key, profile } = state;
  const pause = pauseOf(state, now);
  const facts: readonly (readonly [string, HtmlPart])[] = [
    ['Names', found.domains && renderNames(found.domains, 100)],
    ['Comes from', found.source],
    ['Days left', renderLife(found, state, now)],
    ['Valid', found.notAfter && html`${renderTime(state.notBefore)} to ${renderTime(found.notAfter)}`],
    ['Renewed from', renderTime(found.renewsAt)],
    ['Next', renderNext(found)],
    ['Issuer', issuer && renderText(issuer)],
    ['Key', key && renderText(profile === undefined ? key : `${key}, profile ${profile}`)],
    ['Version', found.version && renderText(found.version)],
    ['Failed attempts', failures ? html`${failures}, last ${renderText(error ?? '')}` : undefined],
    ['Tried again', renderTime(nextAttempt)],
    ['Paused', pause && renderPause(pause)],
    ['Acknowledged until', renderTime(found.acknowledgedUntil)],
    ['Served', found.served],
  ];
  const known = facts.filter(([, value]) => value !== undefined && value !== '');
  return html`<dl>${known.map(([name, value]) => html`<div><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

function renderPause({ since, reason, until }: Pause): Html {
  const end = until && html`, until ${renderTime(until)}`;
  return html`since ${renderTime(since)}${end}${reason === undefined ? undefined : html`: ${renderText(reason)}`}`;
}

function renderConditions({ conditions }: CertificateHealth): Html {
  return renderRows(
    'Conditions',
    conditionColumns,
    conditions.map(({ type, status, reason, message, lastTransitionTime }) => [
      type,
      status,
      html`<span class="word">${reason}</span>`,
      renderText(message),
      renderTime(lastTransitionTime) ?? '–',
    ]),
  );
}

function renderTargetTable(targets: readonly TargetHealth[]): Html {
  if (targets.length === 0)
    return html`<p>The inventory file lists none. Targets of a registered certificate stand in its AWS secret alone.</p>`;
  return renderRows(
    'Targets',
    targetColumns,
    targets.map(({ target, health, reason, message, holds, served }) => [
      renderText(target),
      renderHealth(health),
      health === 'Healthy' ? renderText(message) : html`<strong>${reason}</strong> ${renderText(message)}`,
      renderTime(holds?.notAfter) ?? '–',
      served ?? '–',
    ]),
  );
}

/** A table; the first cell of a row is its head. */
function renderRows(label: string, columns: readonly string[], rows: readonly (readonly HtmlPart[])[]): Html {
  const heads = columns.map((name) => html`<th role="columnheader" scope="col">${name}</th>`);
  const body = rows.map(
    ([first, ...rest]) =>
      html`<tr role="row"><th role="rowheader" scope="row">${first}</th>${rest.map((cell) => html`<td role="cell">${cell}</td>`)}</tr>`,
  );
  return html`<table role="table" class="list ${label}" aria-label="${label}"><thead role="rowgroup"><tr role="row">${heads}</tr></thead><tbody role="rowgroup">${body}</tbody></table>`;
}
