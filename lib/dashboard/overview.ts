// The first part of the page: how many certificates are how, what ends first, and what else is not well.
import type { CertificateHealth } from '../policy/health/certificate.ts';
import { keyOf } from '../policy/health/change.ts';
import type { SubjectHealth } from '../policy/health/others.ts';
import { compareWorst, countByHealth } from '../policy/health/ranking.ts';
import { countOf } from '../policy/words.ts';
import { healthWords } from '../state/health.ts';
import { type Endpoints, pageButton } from './actions.ts';
import { acknowledgeButton } from './deeds.ts';
import { eventOf } from './filter.ts';
import { type Html, html } from './html.ts';
import { renderHealth, renderText, renderTime } from './words.ts';

/** One number for each health; each lists its certificates. */
export function renderSummary(certificates: readonly CertificateHealth[], endpoints: Endpoints): Html {
  const counts = countByHealth(certificates);
  const tiles = healthWords.map((health) => {
    const label = html`<span class="count">${counts[health]}</span> ${renderHealth(health)}`;
    return html`<li>${pageButton(label, eventOf({ search: '', health, page: 1 }), endpoints, 'tile')}</li>`;
  });
  return html`<ul class="tiles" aria-label="Certificates by health">${tiles}</ul>`;
}

/** The clusters, issuers, agents, functions and channels that are not `Healthy`. */
export function renderOthers(others: readonly SubjectHealth[], endpoints: Endpoints): Html {
  const ill = others
    .filter(({ health }) => health.health !== 'Healthy')
    .toSorted((one, other) => compareWorst(one.health, other.health));
  if (ill.length === 0) {
    return html`<p>Clusters, issuers, agents, functions and channels: ${others.length === 0 ? 'none' : 'all Healthy'}.</p>`;
  }
  const items = ill.map(({ subject, health: one }) => {
    const { kind, name } = subject;
    const button = acknowledgeButton(keyOf(subject), one, endpoints);
    const affected = one.affected ? html`, ${countOf(one.affected, 'certificate')}` : undefined;
    const since = one.since && html` since ${renderTime(one.since)}`;
    return html`<li>${renderHealth(one.health)} <strong>${kind} ${renderText(name)}</strong>: ${one.reason}${since}${affected}. ${renderText(one.message)}${renderCommand(one.command)}${button && html`<div class="deeds">${button}</div>`}</li>`;
  });
  return html`<h3>Not certificates alone</h3><ul class="others">${items}</ul>`;
}

/** The next command, to be copied. */
export function renderCommand(command: string | undefined): Html | undefined {
  return command === undefined ? undefined : html`<code class="command">${command}</code>`;
}
