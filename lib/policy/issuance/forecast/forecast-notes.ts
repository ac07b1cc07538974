// What a forecast assumes, and what it does not know, in sentences.
import { countOf } from '../../words.ts';
import type { IssuerForecast } from './issuer-tally.ts';
import { mostOrders } from './passes.ts';
import { publishedTerms } from './published-terms.ts';
import type { ForecastRules } from './rules.ts';
import type { ForecastSubject } from './subject.ts';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What notes are about. */
export interface NotedForecast {
  readonly subjects: readonly ForecastSubject[];
  readonly issuers: readonly IssuerForecast[];
  /** When it ends. */
  readonly until: Date;
}

/** The sentences, those that change most first. */
export function describeNotes(noted: NotedForecast, rules: ForecastRules): readonly string[] {
  return [
    ...describeEnd(noted, rules),
    ...describeAssumed(rules),
    ...describePublished(noted, rules),
    ...describeUnknown(noted),
  ];
}

function describeEnd({ until }: NotedForecast, { end }: ForecastRules): readonly string[] {
  return until < end
    ? [
        `the forecast ends at ${until.toISOString()}, because it follows ${mostOrders} orders at most; forecast a shorter time for all of it`,
      ]
    : [];
}

function describeAssumed({ start, lifetimeMs, reuseMs }: ForecastRules): readonly string[] {
  const from = start.toISOString();
  return [
    ...(lifetimeMs === undefined
      ? []
      : [`from ${from} on every CA gives certificates of ${formatSpan(lifetimeMs)}, as the call says`]),
    ...(reuseMs === undefined
      ? []
      : [`from ${from} on every CA reuses a validation for ${formatSpan(reuseMs)}, as the call says`]),
  ];
}

/** Lifetimes, where the call does not say them. */
function describePublished(
  { subjects }: NotedForecast,
  { end, start, lifetimeMs }: ForecastRules,
): readonly string[] {
  if (lifetimeMs !== undefined) return [];
  const asked = subjects.flatMap(({ desired }) => desired ?? []);
  const sources = new Map(
    asked.map(({ directory, profile }) => [`${directory} ${profile}`, { directory, profile }]),
  );
  const [first, last] = [start, new Date(end.getTime() - 1)];
  return [...sources.values()].flatMap((source) => {
    const terms = [publishedTerms(source, first), publishedTerms(source, last)];
    const days = [...new Set(terms.flatMap((one) => (one ? [formatSpan(one.lifetimeMs)] : [])))];
    const name = `${source.directory}${source.profile === undefined ? '' : ` (profile ${source.profile})`}`;
    if (days.length > 0)
      return [`${name} gives certificates of ${days.join(', later of ')}, as it has published`];
    return [
      `${name} is taken to give certificates that last as long as those in use, or 90d if there are none`,
    ];
  });
}

function describeUnknown({ subjects, issuers }: NotedForecast): readonly string[] {
  const ordered = subjects.filter(({ due }) => due !== undefined);
  const nameless = ordered.filter(({ values }) => values === undefined).length;
  const unlimited = issuers.filter(({ hasKnownLimits }) => !hasKnownLimits);
  return [
    ...unlimited.map(({ directory }) => `the limits of ${directory} are not known: only its answers tell`),
    ...(nameless > 0
      ? [
          `${countOf(nameless, 'certificate')} with names that do not fit into tags: each counts as one TXT value, and in no zone that is not known from orders`,
        ]
      : []),
    'a hosted zone counts once for each registered domain; names that are proved elsewhere by a CNAME are not known here',
  ];
}

/** A time as the call writes it: `45d`, `7h`. */
export function formatSpan(ms: number): string {
  if (ms % dayMs === 0) return `${ms / dayMs}d`;
  return `${Math.round((ms / hourMs) * 10) / 10}h`;
}
