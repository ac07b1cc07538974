// Renders notices for Slack's incoming webhooks, as Block Kit (docs.slack.dev/reference/block-kit/blocks).
import { cutText } from '../../policy/bounds.ts';
import type { Notice, NoticeEntry } from '../../policy/notices/notice.ts';
import {
  describeDelay,
  describeHealth,
  describeMore,
  describeSubject,
  factsOf,
  linesOf,
  titleOf,
} from '../../policy/notices/text.ts';
import type { TryResult } from '../../ports/notices.ts';
import { judgeAnswer, type PostAnswer } from './http.ts';

/** Slack's limits in characters: a header, a section; and what all of a message has room for, which Slack
 *  does not document (bolt-js#2509). */
const limits = { header: 150, section: 3_000, message: 12_000 } as const;

/** The body of the post. Texts of strangers are plain text or escaped code, so that they mention nobody, link
 *  to nothing and format nothing. */
export function renderSlack(notice: Notice, now: Date): string {
  const title = titleOf(notice);
  const blocks = [{ type: 'header', text: plain(title, limits.header) }, ...blocksOf(notice, now)];
  return JSON.stringify({ text: escapeSlack(title), blocks, unfurl_links: false, unfurl_media: false });
}

/** Slack answers `ok`; anything else under 200 is not Slack. */
export function judgeSlack(answer: PostAnswer): TryResult {
  const result = judgeAnswer(answer);
  if (result.kind !== 'accepted' || answer.text === 'ok') return result;
  return { kind: 'failed', words: `${result.words}, where Slack answers ok` };
}

function blocksOf(notice: Notice, now: Date): readonly object[] {
  const { blocks, left } = fitBlocks(notice);
  const more = notice.more + left;
  const last = [describeMore({ more }), describeDelay(notice, now)].filter((line) => line !== '');
  const elements = last.map((line) => [plain(line, limits.section)]);
  const links = notice.dashboard === undefined ? [] : [[link(notice.dashboard, 'Dashboard')]];
  return [...blocks, ...[...elements, ...links].map((one) => ({ type: 'context', elements: one }))];
}

/** Blocks that a message has room for, and how many entries or lines it has not. */
interface FittingBlocks {
  readonly blocks: readonly object[];
  readonly left: number;
}

function fitBlocks(notice: Notice): FittingBlocks {
  if (notice.event === 'Degraded' || notice.event === 'Recovered') {
    return takeBlocks(notice.entries.map(blocksOfEntry));
  }
  const lines = linesOf({ ...notice, more: 0 }, notice.at);
  if (notice.event === 'Digest') return takeTables(lines);
  return { blocks: [section(plain(lines.join('\n'), limits.section))], left: 0 };
}

function blocksOfEntry(entry: NoticeEntry): readonly object[] {
  const mark = entry.health === 'Degraded' ? '🔴' : '🟢';
  const head = `${mark} ${describeSubject(entry.subject)} ${describeHealth(entry)}`;
  const words = [head, entry.message, factsOf(entry).join(' · ')].join('\n');
  const next = entry.command === null ? [] : [section(code([entry.command]))];
  return [section(plain(words, limits.section)), ...next];
}

/** Blocks of as many entries as a message has room for. */
function takeBlocks(entries: readonly (readonly object[])[]): FittingBlocks {
  let characters = 0;
  const end = entries.findIndex((blocks) => {
    characters += JSON.stringify(blocks).length;
    return characters > limits.message;
  });
  const fitting = end === -1 ? entries : entries.slice(0, end);
  return { blocks: fitting.flat(), left: entries.length - fitting.length };
}

/** Most sections of one table. */
const mostTables = 3;

/** A table as code, in as many sections as it takes. */
function takeTables(lines: readonly string[]): FittingBlocks {
  const parts: string[][] = [[]];
  let left = 0;
  for (const line of lines.map((one) => cutText(one, 300))) {
    const part = parts.at(-1) ?? [];
    if (left === 0 && code([...part, line]).text.length <= limits.section) part.push(line);
    else if (left === 0 && parts.length < mostTables) parts.push([line]);
    else left += 1;
  }
  return { blocks: parts.map((part) => section(code(part))), left };
}

function section(text: object): object {
  return { type: 'section', text };
}

function plain(text: string, most: number) {
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return { type: 'plain_text', text: cut, emoji: false };
}

/** Lines as code. `verbatim`: Slack makes no links and mentions of them. */
function code(lines: readonly string[]) {
  // Three marks in a row would end the block.
  const inner = escapeSlack(lines.join('\n').replaceAll('```', "'''"));
  return { type: 'mrkdwn', text: `\`\`\`${inner}\`\`\``, verbatim: true };
}

/** A link of ours. `url`: none of a stranger. */
function link(url: string, words: string) {
  return { type: 'mrkdwn', text: `<${escapeSlack(url)}|${words}>`, verbatim: true };
}

/** `&`, `<` and `>` as Slack asks for them: without these there are no mentions and no links. */
export function escapeSlack(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  return text.replace(/[&<>]/g, (character) => entities[character] ?? '');
}
