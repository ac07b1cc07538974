// Reads the pages of the repository: their links, headings, commands and samples.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const top = join(import.meta.dirname, '../..');

/** A fenced block of code. */
export interface Block {
  /** Empty where the fence names none. */
  readonly language: string;
  readonly text: string;
}

export interface Page {
  /** From the top of the repository. */
  readonly path: string;
  readonly text: string;
  readonly blocks: readonly Block[];
  /** Without what is fenced. */
  readonly prose: string;
}

/** Every Markdown page that is tracked, or new. */
export function readPages(): readonly Page[] {
  const git = (...args: readonly string[]) => execFileSync('git', args, { cwd: top, encoding: 'utf8' });
  const paths = git('ls-files', '--cached', '--others', '--exclude-standard', '*.md').trim().split('\n');
  return paths.toSorted().map((path) => readPage(path, readFileSync(join(top, path), 'utf8')));
}

export function readPage(path: string, text: string): Page {
  const blocks: Block[] = [];
  const prose: string[] = [];
  let open: { language: string; lines: string[] } | undefined;
  for (const line of text.split('\n')) {
    const fence = /^\s*```(\w*)/.exec(line);
    if (fence && open) {
      blocks.push({ language: open.language, text: open.lines.join('\n') });
      open = undefined;
    } else if (fence) open = { language: fence[1] ?? '', lines: [] };
    else (open?.lines ?? prose).push(line);
  }
  return { path, text, blocks, prose: prose.join('\n') };
}

/** Targets of its links, but for those that lead out of the repository. */
export function findLinks({ prose }: Page): readonly string[] {
  const words = prose.replaceAll(/`[^`]*`/g, '');
  return [...words.matchAll(/\]\(([^)\s]+)\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !/^[a-z]+:/.test(target));
}

/** Names of its headings, as GitHub makes anchors of them. */
export function findAnchors({ prose }: Page): ReadonlySet<string> {
  const titles = [...prose.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => title);
  return new Set(
    titles.map((title) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(' ', '-'),
    ),
  );
}

/** What stands in backticks, in one line each. */
export function findCode({ prose }: Page): readonly string[] {
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code.replaceAll(/\s+/g, ' '));
}

const programs =
  /^(npm|npx|node|aws|kubectl|openssl|curl|git|docker|serverless|cat|\.ci\/run|test\/real\/install|\. )(?= |$)/;

/** Shell commands: each line of a block of `sh`, without comments and with its continuations, and each
 *  command in backticks. */
export function findCommands(page: Page): readonly string[] {
  const fenced = page.blocks
    .filter(({ language }) => language === 'sh')
    .flatMap(({ text }) => text.replaceAll(/\s*\\\n\s*/g, ' ').split('\n'))
    .map((line) => line.replace(/\s+#.*$/, '').trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  const inline = findCode(page).filter((code) => programs.test(code) && code.includes(' '));
  return [...new Set([...fenced, ...inline])];
}
