// Small parts of the page: health by word, shape and colour; instants; text of others.
import { oneLine } from '../policy/bounds.ts';
import type { HealthWord } from '../state/health.ts';
import { Html, html } from './html.ts';

/** One shape for each health, so that nobody needs to tell colours apart. */
const shapes: Readonly<Record<HealthWord, Html>> = {
  Degraded: new Html('<path d="M5 1h6l4 4v6l-4 4H5l-4-4V5z"/><path class="on" d="M7 4h2v5H7zm0 6h2v2H7z"/>'),
  Suspended: new Html('<path d="M1 1h14v14H1z"/><path class="on" d="M5 4h2v8H5zm4 0h2v8H9z"/>'),
  Progressing: new Html('<path d="M8 1l7 14H1z"/>'),
  Healthy: new Html('<circle cx="8" cy="8" r="7"/><path class="on" d="M4 8l1-1 2 2 4-4 1 1-5 5z"/>'),
};

/** The word with its shape and colour. */
export function renderHealth(health: HealthWord): Html {
  return html`<span class="health ${health}"><svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false">${shapes[health]}</svg> ${health}</span>`;
}

/** An instant in UTC, to the minute; nothing if there is none. */
export function renderTime(at: Date | undefined): Html | undefined {
  if (!at || Number.isNaN(at.getTime())) return undefined;
  const text = at.toISOString();
  return html`<time datetime="${text}">${text.slice(0, 10)} ${text.slice(11, 16)}</time>`;
}

/** Text that others may have written: cut, on one line, with a direction of its own. Instants in it are as
 *  those beside it. */
export function renderText(text: string, most = 300): Html {
  return html`<bdi>${oneLine(shortenTimes(text), most)}</bdi>`;
}

function shortenTimes(text: string): string {
  return text.replace(/\b(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d{1,3})?Z/g, '$1 $2');
}

/** The first `most` names, and how many more there are. */
export function renderNames(names: readonly string[], most: number): Html {
  const rest = names.length - most;
  const first = names.slice(0, most).map((name) => html`<li>${renderText(name)}</li>`);
  return html`<ul class="names">${first}${rest > 0 ? html`<li>and ${rest} more</li>` : undefined}</ul>`;
}

/** Days in words: `43 days`, `6.2 days`, `ended 2 days ago`. */
export function describeDays(days: number): string {
  const shown = Math.abs(days) < 10 ? Math.abs(days).toFixed(1) : String(Math.floor(Math.abs(days)));
  const words = `${shown} ${shown === '1.0' ? 'day' : 'days'}`;
  return days < 0 ? `ended ${words} ago` : words;
}
