// The table of certificates, the worst first.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import type { StoreEntry } from '../ports/store.ts';
import { type Endpoints, pageButton } from './actions.ts';
import { listColumns } from './columns.ts';
import { eventOf, type Filter } from './filter.ts';
import { type Html, html } from './html.ts';
import { renderLife } from './lifetime.ts';
import { renderHealth, renderNames, renderText, renderTime } from './words.ts';

/** What the rows are made with. */
export interface TableContext {
  readonly now: Date;
  readonly entries: ReadonlyMap<string, Pick<StoreEntry, 'state'>>;
  readonly endpoints: Endpoints;
  /** To come back to from a certificate's own page. */
  readonly filter: Filter;
}

/** The table. Narrow pages show each row as a list, hence the roles. */
export function renderTable(rows: readonly CertificateHealth[], context: TableContext): Html {
  if (rows.length === 0) return html`<p>No certificate matches this search.</p>`;
  const heads = listColumns.map((name) => html`<th role="columnheader" scope="col">${name}</th>`);
  return html`<table role="table" class="list" aria-label="Certificates, the worst first"><thead role="rowgroup"><tr role="row">${heads}</tr></thead>
<tbody role="rowgroup">${rows.map((row) => renderRow(row, context))}</tbody></table>`;
}

function renderRow(row: CertificateHealth, { now, entries, endpoints, filter }: TableContext): Html {
  const { name, domains = [], health, reason, message } = row;
  const own = { ...eventOf(filter), certificate: name };
  const cells = [
    domains.length === 0 ? '–' : renderNames(domains, 2),
    renderHealth(health),
    health === 'Healthy' ? 'up to date' : html`<strong>${reason}</strong> ${renderText(message, 160)}`,
    renderLife(row, entries.get(name)?.state ?? {}, now) ?? 'nothing stored',
    renderTargets(row),
    renderNext(row) ?? '–',
  ];
  return html`<tr role="row"><th role="rowheader" scope="row">${pageButton(renderText(name), own, endpoints, 'link')}</th>${cells.map((cell) => html`<td role="cell">${cell}</td>`)}</tr>
`;
}

/** How many targets there are, how many have the version, and where it is served. */
function renderTargets({ targets }: Pick<CertificateHealth, 'targets'>): Html {
  if (targets.length === 0) return html`–`;
  const count = targets.length;
  const delivered = targets.filter(({ health }) => health === 'Healthy').length;
  const served = targets.filter((target) => target.served === 'served').length;
  return html`${delivered} of ${count} delivered, ${served} served`;
}

const deeds = { order: 'order', deliver: 'deliver', probe: 'look', end: 'end' } as const;

/** What happens next by itself; `undefined` if that is not known. */
export function renderNext({ next }: Pick<CertificateHealth, 'next'>): Html | undefined {
  return next && html`${deeds[next.what]} ${renderTime(next.at)}`;
}
