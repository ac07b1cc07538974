// Parses the event of the dashboard function, as CloudWatch's widget sends it.
import * as z from 'zod';
import { oneLine } from '../policy/bounds.ts';
import { type HealthWord, healthWords } from '../state/health.ts';
import { nameField, orEmpty, parseFields } from './fields.ts';
import { widgetContext } from './widget.ts';

const healths = ['', ...healthWords] as const;
const longestSearch = 200;

const dashboardRequest = z
  .strictObject({
    describe: z.boolean().optional(),
    certificate: nameField.optional(),
    search: z.string().max(longestSearch).optional(),
    health: z.enum(healths).optional(),
    page: z.int().min(1).max(1_000_000).optional(),
    widgetContext,
  })
  .transform(({ widgetContext: context, search, health, page = 1, describe = false, certificate }) => {
    const { theme = 'light', forms } = context ?? {};
    const form = (name: string) => {
      const text = forms?.all[name];
      return typeof text === 'string' ? text : undefined;
    };
    // What a button says counts before what stands in the form.
    const word = health ?? form('certrelay-health');
    return {
      describe,
      certificate,
      theme,
      page,
      search: oneLine(search ?? form('certrelay-search') ?? '', longestSearch).trim(),
      health: healthWords.find((known): known is HealthWord => known === word),
    };
  });

/** A request to `dashboard`: a list of certificates, or the page of one. `describe`: what the widget is. */
export type DashboardRequest = z.infer<typeof dashboardRequest>;

/** The parsed event of `dashboard`.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. */
export function parseDashboardEvent(event: unknown): DashboardRequest {
  return parseFields(dashboardRequest, orEmpty(event));
}
