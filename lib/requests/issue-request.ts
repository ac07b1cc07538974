// The request to `issue`, and what of it is answered to a call only.
import * as z from 'zod';
import { namesField, noDryRun } from './fields.ts';
import { checkForecast, type ForecastRequest, forecastFields, readForecast } from './forecast.ts';
import { checkRotation, rotationField } from './rotation.ts';
import { widgetContext } from './widget.ts';

/** The schema of a request to `issue`. */
export const issueRequest = z
  .strictObject({
    certificates: namesField.optional(),
    force: z.boolean().optional(),
    dryRun: z.boolean().optional(),
    /** Passes in a row that completed nothing. `issue` sets it in its own messages. */
    fruitless: z.int().min(0).max(100).optional(),
    /** Compare stored values with their tags. `issue` sets it in its own messages, for values that a full
     *  pass had no time to read. */
    compare: z.boolean().optional(),
    enqueue: z.boolean().optional(),
    widgetContext,
    ...forecastFields,
    rotateAccountKey: rotationField.optional(),
  })
  .refine((request) => !request.force || request.certificates?.length === 1, {
    message:
      '"force" needs "certificates" with exactly one name; it overrides the backoff of that certificate',
  })
  .refine(({ compare, certificates }) => !compare || certificates, {
    message: '"compare" needs "certificates"',
  })
  .refine(({ enqueue, dryRun }) => !(enqueue && dryRun), { message: noDryRun })
  .superRefine(checkForecast)
  .superRefine(checkRotation)
  .transform((event) => {
    const { forecast, lifetime, reuse, from, widgetContext: _, ...request } = event;
    const asked = readForecast({ forecast, lifetime, reuse, from });
    return { ...request, ...(asked && { forecast: asked }) };
  });

/** A request to `issue`: all certificates, or the named ones; or for a forecast; or for
 *  a new key of an issuer's account. `enqueue`: a queue starts
 *  the work, and the call answers at once. */
export type IssueRequest = z.infer<typeof issueRequest>;

/** The event with a problem in place of each message that asks for a forecast, which nobody would read, or
 *  for a new account key: a message that comes again would exchange it again. */
export function refuseQueued<
  Request extends CalledOnly,
  Event extends
    | { readonly kind: 'request' }
    | { readonly kind: 'batch'; readonly messages: readonly QueuedRequest<Request>[] },
>(event: Event): Event {
  if (event.kind === 'request') return event;
  const messages = event.messages.map((message) => {
    const problem = 'request' in message ? findProblem(message.request) : undefined;
    return problem === undefined ? message : { id: message.id, problem };
  });
  return { ...event, messages };
}

/** What is answered to a call only. */
interface CalledOnly {
  readonly forecast?: ForecastRequest | undefined;
  readonly rotateAccountKey?: string | undefined;
}

function findProblem({ forecast, rotateAccountKey }: CalledOnly): string | undefined {
  if (forecast) return 'a forecast is answered to a call only';
  return rotateAccountKey === undefined ? undefined : 'an account key is exchanged by a call only';
}

type QueuedRequest<Request> =
  | { readonly id: string; readonly request: Request }
  | { readonly id: string; readonly problem: string };
