// Buttons of the page. CloudWatch turns a `cwdb-action` into what its element before it does when clicked: it
// calls a function with the rights of the person who clicks.
import { type Html, type HtmlPart, html, htmlJson } from './html.ts';

/** The functions that buttons call, by ARN. Absent: there is no such button. */
export interface Endpoints {
  /** The page's own. */
  readonly dashboard: string;
  readonly issue?: string | undefined;
  readonly deploy?: string | undefined;
  readonly pause?: string | undefined;
  readonly status?: string | undefined;
}

/** A button that shows another page in the same place.
 *  @param params Event of `dashboard`. */
export function pageButton(
  label: HtmlPart,
  params: object,
  { dashboard }: Endpoints,
  kind: 'btn' | 'btn btn-primary' | 'link' | 'tile' = 'btn',
): Html {
  return html`<button type="button" class="${kind}">${label}</button><cwdb-action action="call" endpoint="${dashboard}">${htmlJson(params)}</cwdb-action>`;
}

/** What a button does that changes something. */
export interface Deed {
  readonly label: string;
  /** ARN; absent: there is no button. */
  readonly endpoint: string | undefined;
  readonly event: object;
  /** The question before it is done. */
  readonly question: string;
}

/** A button that does something after a question, and shows the answer above the page. */
export function deedButton({ label, endpoint, event, question }: Deed): Html | undefined {
  if (endpoint === undefined) return undefined;
  return html`<button type="button" class="btn">${label}</button><cwdb-action action="call" display="popup" confirmation="${question}" endpoint="${endpoint}">${htmlJson(event)}</cwdb-action>`;
}
