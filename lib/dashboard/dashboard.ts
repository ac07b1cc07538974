// The dashboard story: shows how everything stands as one page of HTML, without scripts and passwords.
import type { DashboardRequest } from '../requests/dashboard.ts';
import type { Endpoints } from './actions.ts';
import { renderCalendar } from './calendar.ts';
import { renderCertificate } from './certificate.ts';
import type { DashboardFacts } from './facts.ts';
import { findCertificates, renderForm, renderPages } from './filter.ts';
import { type Html, html } from './html.ts';
import { renderOthers, renderSummary } from './overview.ts';
import { style } from './style.ts';
import { renderTable } from './table.ts';
import { renderTime } from './words.ts';

/** The page as HTML for CloudWatch: without script, frame or reference to elsewhere. Every text is
 *  escaped. */
export function renderDashboard(
  facts: DashboardFacts,
  request: DashboardRequest,
  endpoints: Endpoints,
): string {
  const { installation, at } = facts;
  const body = request.certificate === undefined ? renderList : renderCertificate;
  const page = html`<div class="cwdb-no-default-styles"></div><div class="certrelay ${request.theme}">${style}
${body(facts, request, endpoints)}
<p class="foot">Installation ${installation}, as of ${renderTime(at)}. Times are UTC. Lists of AWS may be minutes behind.</p></div>`;
  return page.text;
}

function renderList(facts: DashboardFacts, request: DashboardRequest, endpoints: Endpoints): Html {
  const { at, certificates, others, entries } = facts;
  if (certificates.length === 0)
    return html`<h2>Certificates</h2>
<p>There are none yet: write one into the inventory and deploy it, or have one registered.</p>
${renderOthers(others, endpoints)}`;
  const found = findCertificates(certificates, request);
  const filter = { ...request, page: found.page };
  return html`<h2>Certificates</h2>
${renderSummary(certificates, endpoints)}
${renderOthers(others, endpoints)}
${renderCalendar(facts)}
${renderForm(filter, endpoints)}
${renderPages(found, filter, endpoints, 'above the table')}
${renderTable(found.rows, { now: at, entries, endpoints, filter })}
${found.pages > 1 ? renderPages(found, filter, endpoints, 'below the table') : undefined}`;
}
