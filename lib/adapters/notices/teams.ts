// Renders notices for Teams: an Adaptive Card to a webhook of the Workflows app (adaptivecards.io, 1.2).
import type { Notice } from '../../policy/notices/notice.ts';
import { linesOf, titleOf } from '../../policy/notices/text.ts';

/** Most bytes of a message: Teams takes about 28 KB. */
const mostBytes = 24_000;

/** The body of the post. All text is in runs of a RichTextBlock, which know no Markdown: links and marks of
 *  strangers stay text. */
export function renderTeams(notice: Notice, now: Date): string {
  const lines = linesOf(notice, now);
  for (let count = lines.length; count > 0; count = Math.min(count - 1, Math.floor(count * 0.9))) {
    const body = writeCard(notice, lines.slice(0, count), lines.length - count);
    if (Buffer.byteLength(body) <= mostBytes) return body;
  }
  return writeCard(notice, [], lines.length);
}

const colours: Readonly<Record<Notice['event'], string>> = {
  Degraded: 'Attention',
  Recovered: 'Good',
  Issued: 'Good',
  Digest: 'Default',
  Test: 'Default',
};

function writeCard(notice: Notice, lines: readonly string[], left: number): string {
  const end = left > 0 ? [`and ${left} more lines: call status to see all`] : [];
  const fontType = notice.event === 'Digest' ? 'Monospace' : 'Default';
  const head = block([
    { text: titleOf(notice), weight: 'Bolder', size: 'Medium', color: colours[notice.event] },
  ]);
  const rest = [...lines, ...end].filter((line) => line !== '').map((text) => block([{ text, fontType }]));
  const card = {
    $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
    type: 'AdaptiveCard',
    version: '1.2',
    body: [head, ...rest],
    ...(notice.dashboard === undefined
      ? {}
      : { actions: [{ type: 'Action.OpenUrl', title: 'Dashboard', url: notice.dashboard }] }),
    msteams: { width: 'full' },
  };
  const contentType = 'application/vnd.microsoft.card.adaptive';
  return JSON.stringify({ type: 'message', attachments: [{ contentType, contentUrl: null, content: card }] });
}

function block(runs: readonly object[]): object {
  return { type: 'RichTextBlock', inlines: runs.map((run) => ({ type: 'TextRun', ...run })) };
}
