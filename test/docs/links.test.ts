// What the pages point at is there: files, headings, and the code that they name.
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { findAnchors, findCode, findLinks, type Page, readPage, readPages, top } from './markdown.ts';

const pages = readPages();
const byPath = new Map(pages.map((page) => [page.path, page]));

/** What is wrong with a page's links. */
function findBroken(page: Page): readonly string[] {
  return findLinks(page).flatMap((link) => {
    const [file = '', anchor] = link.split('#');
    const path = file === '' ? page.path : posix.join(posix.dirname(page.path), file);
    if (!existsSync(join(top, path))) return [`${page.path}: ${link} leads to no file`];
    const there = byPath.get(path);
    if (anchor === undefined || !there || findAnchors(there).has(anchor)) return [];
    return [`${page.path}: ${link} leads to no heading`];
  });
}

/** Paths of the repository that a page names and that are not there. The changelog tells of what was. */
function findGone(page: Page): readonly string[] {
  if (page.path === 'docs/changelog.md') return [];
  return findCode(page)
    .filter((code) => /^(lib|functions|infra|test|docs|\.github)\/[\w./-]+$/.test(code))
    .filter((path) => !existsSync(join(top, path)))
    .map((path) => `${page.path}: ${path} does not exist`);
}

describe('the pages', () => {
  it('are there: the guide, the book and the sandbox’s own', () => {
    expect([...byPath.keys()]).toEqual(
      expect.arrayContaining(['README.md', 'docs/architecture.md', 'test/sandbox/README.md']),
    );
  });

  it('have links that lead to files and headings', () => {
    expect(pages.flatMap(findBroken)).toEqual([]);
    const broken = readPage(
      'docs/x.md',
      '[a](none.md) [b](glossary.md#no-such-heading) [c](https://x.example)',
    );
    expect(findBroken(broken)).toHaveLength(2);
  });

  it('begin with a README of one page: 150 lines at most', () => {
    expect(byPath.get('README.md')?.text.split('\n').length).toBeLessThanOrEqual(150);
  });

  it('name no file of the code that is not there', () => {
    expect(pages.flatMap(findGone)).toEqual([]);
    expect(findGone(readPage('docs/x.md', 'see `lib/issue/nothing.ts`'))).toHaveLength(1);
  });

  it('are each found from the index of docs', () => {
    const index = findLinks(byPath.get('docs/README.md') ?? readPage('', '')).map((link) =>
      posix.join('docs', link),
    );
    const lost = [...byPath.keys()].filter((path) => path.startsWith('docs/') && path !== 'docs/README.md');
    expect(lost.filter((path) => !index.some((link) => path.startsWith(link)))).toEqual([]);
  });

  it('tell a decision by context, decision, numbers, alternatives and consequences, numbered without a gap', () => {
    const decisions = pages.filter(({ path }) => path.startsWith('docs/decisions/'));
    expect(decisions.map(({ path }) => Number(posix.basename(path).slice(0, 4)))).toEqual(
      decisions.map((_, index) => index + 1),
    );
    const parts = ['context', 'decision', 'numbers', 'alternatives', 'consequences'];
    for (const page of decisions)
      expect([...findAnchors(page)], page.path).toEqual(expect.arrayContaining(parts));
  });

  it('say nothing that only one machine has', () => {
    const own = pages
      .filter(({ text }) => /\/(work|tmp|home|root)\/[a-z]/.test(text))
      .map(({ path }) => path);
    expect(own).toEqual([]);
  });
});
