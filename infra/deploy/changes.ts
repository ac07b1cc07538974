// Finds the lines of the changelog that are new to an installation. `serverless deploy` prints them before it
// acts.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One version of the changelog. The entries stand in the order in which they were added. */
export interface Section {
  readonly heading: string;
  readonly entries: readonly string[];
}

/** Reads docs/changelog.md. @throws Error if it does not exist. */
export async function readChangelog(): Promise<readonly Section[]> {
  return parseChangelog(await readFile(join(import.meta.dirname, '../..', changelogPath), 'utf8'));
}

/** Path of the changelog, relative to the service's folder. */
export const changelogPath = 'docs/changelog.md';

/** The sections of a changelog, newest first. Text before the first heading is ignored. An entry may have
 *  several lines. */
export function parseChangelog(text: string): readonly Section[] {
  return text
    .split(/^## /m)
    .slice(1)
    .map((section) => {
      const [heading = '', ...rest] = section.split('\n');
      const entries = rest.join('\n').split(/^- /m).slice(1);
      return {
        heading: heading.trim(),
        entries: entries.map((entry) => entry.trim().replace(/(?<!\s)\s*\n\s*/g, ' ')),
      };
    });
}

/** The mark that a stack's output keeps: `<newest heading>/<number of its entries>`. */
export function markOf([newest]: readonly Section[]): string {
  return `${newest?.heading ?? ''}/${newest?.entries.length ?? 0}`;
}

/** The entries that are new to an installation with that mark, oldest version first. All entries if the mark
 *  is absent or names an unknown version: the installation is older than marks, or has another changelog. */
export function findNews(sections: readonly Section[], mark: string | undefined): readonly string[] {
  const [, heading, count] = /^(.*)\/(\d+)$/.exec(mark ?? '') ?? [];
  const index = sections.findIndex((section) => section.heading === heading);
  const newer = index === -1 ? sections : sections.slice(0, index);
  const rest = index === -1 ? [] : (sections[index]?.entries.slice(Number(count)) ?? []);
  return [...rest, ...newer.toReversed().flatMap(({ entries }) => entries)];
}

/** What is known of the deployed stack: it does not exist, its mark, or why it could not be read. */
export type DeployedStack =
  | { readonly kind: 'absent' }
  | { readonly kind: 'there'; readonly mark: string | undefined }
  | { readonly kind: 'unknown'; readonly problem: string };

/** Lines to print before a deploy; none for a first deploy or if nothing is new. */
export function describeNews(sections: readonly Section[], stack: DeployedStack): readonly string[] {
  if (stack.kind === 'absent') return [];
  if (stack.kind === 'unknown') {
    const [newest] = sections;
    return [
      `Which version is deployed could not be looked at (${stack.problem}). What is new to an older one stands in`,
      `${changelogPath}, under "${newest?.heading ?? ''}" and below. No deploy orders, restarts, delivers or retires anything by itself.`,
    ];
  }
  const news = findNews(sections, stack.mark);
  if (news.length === 0) return [];
  return [
    `New to the installation that this changes, from ${changelogPath}. The deploy orders, restarts, delivers and retires nothing by`,
    'itself; what you, your rules and filters can see change is:',
    ...news.map((entry) => `  - ${entry}`),
  ];
}
