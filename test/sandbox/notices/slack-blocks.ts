// What Slack takes by an incoming webhook: Block Kit with its limits (docs.slack.dev/reference/block-kit).
import * as z from 'zod';

const plain = (most: number) =>
  z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().min(1).max(most),
    emoji: z.boolean().optional(),
  });
const marked = (most: number) =>
  z.strictObject({
    type: z.literal('mrkdwn'),
    text: z.string().min(1).max(most),
    verbatim: z.boolean().optional(),
  });

const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), text: plain(150) }),
  z.strictObject({ type: z.literal('section'), text: z.union([plain(3_000), marked(3_000)]) }),
  z.strictObject({
    type: z.literal('context'),
    elements: z
      .array(z.union([plain(3_000), marked(3_000)]))
      .min(1)
      .max(10),
  }),
  z.strictObject({ type: z.literal('divider') }),
]);

const message = z.strictObject({
  text: z.string().min(1).max(40_000),
  blocks: z.array(block).min(1).max(50),
  unfurl_links: z.boolean().optional(),
  unfurl_media: z.boolean().optional(),
});

/** Characters of all blocks, which Slack limits without documenting it (bolt-js#2509). */
const mostCharacters = 13_000;

/** Slack's word for what is wrong; `undefined` for what it posts. */
export function checkBlocks(body: string): string | undefined {
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    return 'invalid_payload';
  }
  const { data, error } = message.safeParse(json);
  if (error)
    return error.issues.some(({ path }) => path[0] === 'blocks') ? 'invalid_blocks' : 'invalid_payload';
  return JSON.stringify(data.blocks).length > mostCharacters ? 'msg_blocks_too_long' : undefined;
}

/** What Slack would do with a message: whom it would mention, and what it would link to. Plain text does
 *  nothing; in marked text, and in the text of the notification, `<…>` acts. */
export function findActions(body: Readonly<Record<string, unknown>>): readonly string[] {
  const { text, blocks } = message.parse(body);
  const acting = blocks.flatMap((one) => {
    const texts = 'elements' in one ? one.elements : 'text' in one ? [one.text] : [];
    return texts.flatMap((each) => (each.type === 'mrkdwn' ? [each] : []));
  });
  const marks = [text, ...acting.map((one) => one.text)].flatMap((one) => one.match(/<[^>]*>/g) ?? []);
  const links = acting
    .filter(({ verbatim }) => verbatim !== true)
    .flatMap((one) => one.text.match(/https?:\S+/g) ?? []);
  return [...marks, ...links];
}
