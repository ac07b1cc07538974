// The fields of a request to `issue` that asks for a forecast.
import * as z from 'zod';
import { spanUpTo } from './fields.ts';

const span = spanUpTo({ days: 400, words: '400d' }, '90d');

const positive = span.refine((ms) => ms > 0, 'must be longer than nothing');

const instant = z
  .string()
  .regex(
    /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?Z)?$/,
    'must be a day such as 2028-02-16, or an instant such as 2028-02-16T12:00:00Z',
  )
  .refine(isOfCalendar, 'is not in the calendar')
  .transform((text) => new Date(text));

/** `Date.parse` takes the 31st of a shorter month for the next one's beginning. */
function isOfCalendar(text: string): boolean {
  const at = Date.parse(text);
  return !Number.isNaN(at) && new Date(at).toISOString().startsWith(text.slice(0, 10));
}

/** `forecast`: how long; `lifetime`, `reuse`: what CAs are assumed to give; `from`: from when on, and where
 *  the forecast begins. */
export const forecastFields = {
  forecast: positive.optional(),
  lifetime: positive.optional(),
  reuse: span.optional(),
  from: instant.optional(),
};

/** What a forecast is asked for. Times are in milliseconds. */
export interface ForecastRequest {
  readonly spanMs: number;
  /** What CAs are assumed to give from `from` on; absent: what they have published, or give now. */
  readonly lifetimeMs?: number | undefined;
  readonly reuseMs?: number | undefined;
  /** Where it begins; absent: now. */
  readonly from?: Date | undefined;
}

/** The fields after parsing. */
interface ForecastFields {
  readonly forecast?: number | undefined;
  readonly lifetime?: number | undefined;
  readonly reuse?: number | undefined;
  readonly from?: Date | undefined;
}

/** What a forecast is asked for by parsed fields; `undefined` if none is. */
export function readForecast(fields: ForecastFields): ForecastRequest | undefined {
  const { forecast: spanMs, lifetime: lifetimeMs, reuse: reuseMs, from } = fields;
  return spanMs === undefined ? undefined : { spanMs, lifetimeMs, reuseMs, from };
}

/** The parts of a request to `issue` that a forecast may go with, or not. */
interface CheckedFields extends ForecastFields {
  readonly certificates?: unknown;
  readonly force?: boolean | undefined;
  readonly dryRun?: boolean | undefined;
  readonly enqueue?: boolean | undefined;
}

/** Reports what is wrong with the fields of a request together. */
export function checkForecast(request: CheckedFields, context: z.core.$RefinementCtx): void {
  const message = findMistake(request);
  if (message !== undefined) context.addIssue({ code: 'custom', message });
}

function findMistake(request: CheckedFields): string | undefined {
  const { forecast, lifetime, reuse, from, certificates, force, dryRun, enqueue } = request;
  if (forecast === undefined) {
    return (lifetime ?? reuse ?? from) === undefined
      ? undefined
      : '"lifetime", "reuse" and "from" need "forecast", such as {"forecast": "90d", "lifetime": "45d"}';
  }
  return certificates || force || dryRun || enqueue
    ? '"forecast" is about all certificates and changes nothing; leave out the other fields'
    : undefined;
}
