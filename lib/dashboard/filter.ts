// Finds the certificates that the page lists, and makes the form that asks for them.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import { countOf } from '../policy/words.ts';
import { type HealthWord, healthWords } from '../state/health.ts';
import { type Endpoints, pageButton } from './actions.ts';
import { type Html, html } from './html.ts';

/** Which certificates the page lists. */
export interface Filter {
  /** Part of a certificate's name, of one of its names, of its reason or of a target; empty: all. */
  readonly search: string;
  readonly health?: HealthWord | undefined;
  /** From 1; one that is too high is the last. */
  readonly page: number;
}

/** Certificates on one page. */
const pageSize = 50;

/** One page of those that were found. */
export interface Found {
  readonly rows: readonly CertificateHealth[];
  readonly count: number;
  readonly page: number;
  readonly pages: number;
}

/** Finds the certificates, in their order. */
export function findCertificates(
  certificates: readonly CertificateHealth[],
  { search, health, page: asked }: Filter,
): Found {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const found = certificates.filter(
    (one) => (health === undefined || one.health === health) && matches(one, words),
  );
  const pages = Math.max(1, Math.ceil(found.length / pageSize));
  const page = Math.min(asked, pages);
  const rows = found.slice((page - 1) * pageSize, page * pageSize);
  return { rows, count: found.length, page, pages };
}

function matches(
  { name, domains = [], reason, targets }: CertificateHealth,
  words: readonly string[],
): boolean {
  if (words.length === 0) return true;
  const text = [name, ...domains, reason, ...targets.map(({ target }) => target)].join('\n').toLowerCase();
  return words.every((word) => text.includes(word));
}

/** The event that asks for a page with this filter. */
export function eventOf({ search, health, page }: Filter): object {
  return { search, health: health ?? '', page };
}

/** The form. Its values reach the function with every button, in `widgetContext.forms.all`. */
export function renderForm({ search, health }: Filter, endpoints: Endpoints): Html {
  const options = healthWords.map((word) =>
    word === health
      ? html`<option value="${word}" selected>${word}</option>`
      : html`<option value="${word}">${word}</option>`,
  );
  const isFiltered = search !== '' || health !== undefined;
  return html`<form class="search" role="search" aria-label="Certificates">
<label>Name, target or reason <input type="search" name="certrelay-search" value="${search}" maxlength="200" autocomplete="off"></label>
<label>Health <select name="certrelay-health"><option value="">any</option>${options}</select></label>
<span>${pageButton('Search', {}, endpoints, 'btn btn-primary')}
${isFiltered ? pageButton('Show all', eventOf({ search: '', page: 1 }), endpoints) : undefined}</span>
</form>`;
}

/** How many there are, and the buttons to the other pages. */
export function renderPages(
  { count, page, pages }: Found,
  filter: Filter,
  endpoints: Endpoints,
  where: 'above the table' | 'below the table',
): Html {
  const words = countOf(count, 'certificate');
  if (pages === 1) return html`<p class="pages">${words}, the worst first.</p>`;
  const to = (label: string, target: number) =>
    target === page || target < 1 || target > pages
      ? html`<button type="button" class="btn" disabled>${label}</button>`
      : pageButton(label, eventOf({ ...filter, page: target }), endpoints);
  return html`<nav class="pages" aria-label="Pages, ${where}"><span>${words}, the worst first. Page ${page} of ${pages}</span>
<span>${to('First', 1)} ${to('Previous', page - 1)} ${to('Next', page + 1)} ${to('Last', pages)}</span></nav>`;
}
