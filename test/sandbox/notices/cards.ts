// What Teams takes of an Adaptive Card, version 1.2, as far as notices use it (adaptivecards.io/explorer).
import * as z from 'zod';

const run = z.strictObject({
  type: z.literal('TextRun'),
  text: z.string().min(1),
  weight: z.enum(['Default', 'Lighter', 'Bolder']).optional(),
  size: z.enum(['Default', 'Small', 'Medium', 'Large', 'ExtraLarge']).optional(),
  color: z.enum(['Default', 'Dark', 'Light', 'Accent', 'Good', 'Warning', 'Attention']).optional(),
  fontType: z.enum(['Default', 'Monospace']).optional(),
});

const message = z.strictObject({
  type: z.literal('message'),
  attachments: z
    .array(
      z.strictObject({
        contentType: z.literal('application/vnd.microsoft.card.adaptive'),
        contentUrl: z.null(),
        content: z.strictObject({
          $schema: z.string(),
          type: z.literal('AdaptiveCard'),
          version: z.enum(['1.0', '1.1', '1.2', '1.3', '1.4', '1.5']),
          // A TextBlock would take Markdown of strangers for its own.
          body: z
            .array(z.strictObject({ type: z.literal('RichTextBlock'), inlines: z.array(run).min(1) }))
            .min(1),
          actions: z
            .array(
              z.strictObject({ type: z.literal('Action.OpenUrl'), title: z.string().min(1), url: z.url() }),
            )
            .min(1)
            .max(6)
            .optional(),
          msteams: z.strictObject({ width: z.literal('full') }).optional(),
        }),
      }),
    )
    .length(1),
});

/** What is wrong with a card; `undefined` for one that is shown. */
export function checkCard(body: string): string | undefined {
  try {
    const { error } = message.safeParse(JSON.parse(body));
    return error && z.prettifyError(error);
  } catch {
    return 'InvalidJson';
  }
}
