// What CloudWatch adds to the event of a function that a widget of a dashboard calls.
import * as z from 'zod';

/** The schema of AWS's field `widgetContext`. Of all that it has only what Certrelay uses is read; what has
 *  another shape counts as absent. */
export const widgetContext = z
  .looseObject({
    theme: z.enum(['light', 'dark']).catch('light').default('light'),
    forms: z
      .looseObject({ all: z.record(z.string(), z.unknown()).catch({}).default({}) })
      .catch({ all: {} })
      .default({ all: {} }),
  })
  .catch({ theme: 'light', forms: { all: {} } })
  .optional();
