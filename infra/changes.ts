// What `serverless deploy` says before it changes an installation: the lines of the changelog that are new to it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** One version in the changelog, the newest first, with its lines in the order in which they were added. */
export interface Section {
  readonly heading: string;
  readonly entries: readonly string[];
}

/** Reads docs/changelog.md. @throws Error where it is not there. */
export async function readChangelog(): Promise<readonly Section[]> {
  return parseChangelog(await readFile(join(import.meta.dirname, '..', changelogPath), 'utf8'));
}

/** Where people find the changelog, from the top of the service. */
export const changelogPath = 'docs/changelog.md';

/** The sections of a changelog; what stands before the first is none. An entry may go on over several lines. */
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

/** What a stack's output keeps of the changelog: `<newest heading>/<number of its entries>`. */
export function markOf([newest]: readonly Section[]): string {
  return `${newest?.heading ?? ''}/${newest?.entries.length ?? 0}`;
}

/** The entries that an installation with that mark has not got yet, oldest version first. All of them where the mark is absent or names
 *  a version that is not there: an installation before there were marks, or of another changelog. */
export function findNews(sections: readonly Section[], mark: string | undefined): readonly string[] {
  const [, heading, count] = /^(.*)\/(\d+)$/.exec(mark ?? '') ?? [];
  const index = sections.findIndex((section) => section.heading === heading);
  const newer = index === -1 ? sections : sections.slice(0, index);
  const rest = index === -1 ? [] : (sections[index]?.entries.slice(Number(count)) ?? []);
  return [...rest, ...newer.toReversed().flatMap(({ entries }) => entries)];
}

/** What is known of the stack: that there is none, its mark, or why it could not be looked at. */
export type DeployedStack =
  | { readonly kind: 'absent' }
  | { readonly kind: 'there'; readonly mark: string | undefined }
  | { readonly kind: 'unknown'; readonly problem: string };

/** What to print before a deploy, line by line; nothing for a first deploy, and where nothing is new. */
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
