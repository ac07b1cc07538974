// Every regular expression of the sources against long repeats: none may take time that grows faster than the
// text. A text that comes from outside is cut before a pattern of another kind sees it, and such a pattern is
// named here with that length.
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { type FoundPattern, findPatternLiterals } from './pattern-literals.ts';
import { findSlow, ordinaryLength } from './slow-patterns.ts';

const top = join(import.meta.dirname, '../..');

/** Patterns that take quadratic time, with the longest text that each can see, and why it is no longer. */
const exempt = new Map(
  (
    [
      [
        /admission webhook .* denied|ValidatingAdmissionPolicy .* denied/,
        400,
        'what a Kubernetes API server says is cut to that length first',
      ],
      [
        /^(?!.*_INVALID_)(E[A-Z]+|EAI_[A-Z]+|(UND_ERR|ERR_SSL|ERR_TLS|ERR_HTTP2)_\w+|[A-Z_]*(CERT|SIGNATURE|ISSUER)[A-Z_]*)$/,
        64,
        'it sees codes of Node, undici and OpenSSL, each from a list in their sources',
      ],
    ] as const
  ).map(([pattern, longest]) => [String(pattern), longest]),
);

const found = ['functions', 'lib', 'infra'].flatMap((folder) =>
  readdirSync(join(top, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .flatMap((entry) => {
      const path = join(entry.parentPath, entry.name);
      return findPatternLiterals(readFileSync(path, 'utf8')).map((literal) => ({
        ...literal,
        name: `${relative(top, path)} ${show(literal)}`,
      }));
    }),
);

function show({ source, flags }: FoundPattern): string {
  return `/${source}/${flags}`;
}

test.each(found)('$name answers long text in time', ({ source, flags }) => {
  const longest = exempt.get(show({ source, flags })) ?? ordinaryLength;
  expect(findSlow({ source, flags }, longest)).toBeUndefined();
});

test('patterns are written as literals, which this file finds; those that are put together are named here', () => {
  const made = ['functions', 'lib', 'infra'].flatMap((folder) =>
    readdirSync(join(top, folder), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => /\bnew RegExp\(|\bRegExp\(/.test(readFileSync(path, 'utf8')))
      .map((path) => relative(top, path)),
  );
  // Names of Kubernetes objects; the text's length is looked at first.
  expect(made).toEqual(['lib/inventory/fields.ts']);
});

test('what is exempt is still there', () => {
  const patterns = new Set(found.map(show));
  expect([...exempt.keys()].filter((pattern) => !patterns.has(pattern))).toEqual([]);
});

describe('the search itself', () => {
  it.each([
    [/\s+$/, true],
    [/^(a+)+$/, true],
    [/<[^>]*>/, true],
    [/x.*y.*z/, true],
    [/^https?:\/\/(\w+\.?)+\/$/, true],
    [/^\s+/, false],
    [/(?<!\s)\s+$/, false],
    [/^[a-z]+-[0-9]+$/, false],
  ])('%s: slow is %j', (pattern, isSlow) => {
    expect(findSlow(pattern, ordinaryLength) !== undefined).toBe(isSlow);
  });

  it('finds literals, and nothing else that has slashes', () => {
    const text = [
      'const a = 4 / 2 / 1; // not /this/',
      "const b = 'nor /that/'; /* nor /this/ */",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: it is the source that is read.
      'const c = `nor /those/ but ${x.replace(/[/]\\/"/g, "")} and ${{ d: /e/ }.d}`;',
      'if (/f/.test(c)) return /g{1,2}/u;',
      'const h = (1 + 2) / 3 / 4;',
    ].join('\n');
    expect(findPatternLiterals(text).map(show)).toEqual(['/[/]\\/"/g', '/e/', '/f/', '/g{1,2}/u']);
  });
});
