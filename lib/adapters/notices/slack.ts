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
  const last = [describeMore(notice), describeDelay(notice, now)].filter((line) => line !== '');
  const ending = last.map((line) => ({ type: 'context', elements: [plain(line, limits.section)] }));
  if (notice.event === 'Degraded' || notice.event === 'Recovered') {
    return [...takeBlocks(notice.entries.map(blocksOfEntry)), ...ending];
  }
  const lines = linesOf({ ...notice, more: 0 }, notice.at);
  if (notice.event !== 'Digest') return [section(plain(lines.join('\n'), limits.section)), ...ending];
  return [...tablesOf(lines), ...ending];
}

function blocksOfEntry(entry: NoticeEntry): readonly object[] {
  const mark = entry.health === 'Degraded' ? '🔴' : '🟢';
  const head = `${mark} ${describeSubject(entry.subject)} ${describeHealth(entry)}`;
  const words = [head, entry.message, factsOf(entry).join(' · ')].join('\n');
  const next = entry.command === null ? [] : [section(code([entry.command]))];
  return [section(plain(words, limits.section)), ...next];
}

/** Blocks of as many entries as a message has room for. */
function takeBlocks(entries: readonly (readonly object[])[]): readonly object[] {
  let characters = 0;
  return entries.flatMap((blocks) => {
    characters += JSON.stringify(blocks).length;
    return characters > limits.message ? [] : blocks;
  });
}

/** A table as code, in as many sections as it takes; three at most. */
function tablesOf(lines: readonly string[]): readonly object[] {
  const blocks: object[] = [];
  let part: string[] = [];
  for (const line of lines.map((one) => cutText(one, 300))) {
    if (blocks.length >= 3) break;
    if (code([...part, line]).text.length > limits.section) {
      blocks.push(section(code(part)));
      part = [];
    }
    part.push(line);
  }
  return blocks.length >= 3 || part.length === 0 ? blocks : [...blocks, section(code(part))];
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

/** `&`, `<` and `>` as Slack asks for them: without these there are no mentions and no links. */
export function escapeSlack(text: string): string {
  const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
  return text.replace(/[&<>]/g, (character) => entities[character] ?? '');
}
