// Keeps the code readable: what every export says of itself, how wide comments are, and that one word means
// one thing.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

const top = join(import.meta.dirname, '..');
const widestComment = 110;

/** Text of each file of TypeScript in the folders, by its path. */
function readSources(...folders: readonly string[]): readonly (readonly [string, string])[] {
  const listed = execFileSync('git', ['ls-files', '-co', '--exclude-standard', ...folders], { cwd: top });
  return listed
    .toString()
    .split('\n')
    .filter((path) => /\.m?ts$/.test(path))
    .map((path) => [path, readFileSync(join(top, path), 'utf8')] as const);
}

/** `path:line` of each comment line that is wider than a reader's window. */
function findWide(path: string, text: string): readonly string[] {
  return text
    .split('\n')
    .flatMap((line, index) =>
      /^\s*(\/\/|\/\*\*|\*)/.test(line) && line.length > widestComment ? [`${path}:${index + 1}`] : [],
    );
}

/** An export of a file: its name, whether it is a type, and whether a doc comment stands before it. */
interface Export {
  readonly name: string;
  readonly isType: boolean;
  readonly hasDoc: boolean;
}

const exported =
  /^export (?:default )?(?:abstract )?(?:async )?(function\*?|const|class|interface|type|enum) (\w+)/;

function findExports(text: string): readonly Export[] {
  const lines = text.split('\n');
  return lines.flatMap((line, index) => {
    const [, kind = '', name = ''] = exported.exec(line) ?? [];
    if (name === '') return [];
    const isType = ['class', 'interface', 'type', 'enum'].includes(kind);
    return [{ name, isType, hasDoc: /\*\/\s*$/.test(lines[index - 1] ?? '') }];
  });
}

function findUndocumented(path: string, text: string): readonly string[] {
  return findExports(text)
    .filter(({ hasDoc }) => !hasDoc)
    .map(({ name }) => `${path}: ${name}`);
}

/** Names of types that more than one of the files exports, with these files. */
function findDoubles(files: readonly (readonly [string, string])[]): readonly string[] {
  const places = files.flatMap(([path, text]) =>
    findExports(text)
      .filter(({ isType }) => isType)
      .map(({ name }) => ({ name, path })),
  );
  return [...Map.groupBy(places, ({ name }) => name)]
    .filter(([, found]) => found.length > 1)
    .map(([name, found]) => `${name}: ${found.map(({ path }) => path).join(', ')}`);
}

describe('a reader', () => {
  it('sees the whole of every comment line in a window of 110 columns', () => {
    expect(findWide('x.ts', `${'x'.repeat(120)}\n  // ${'x'.repeat(106)}\n`)).toEqual(['x.ts:2']);
    const files = readSources('functions', 'lib', 'infra', 'test');
    expect(files.flatMap(([path, text]) => findWide(path, text))).toEqual([]);
  });

  it('is told of every export what it is', () => {
    const text = '/** Told. */\nexport const a = 1;\n\nexport type B = string;\n';
    expect(findUndocumented('x.ts', text)).toEqual(['x.ts: B']);
    const files = readSources('functions', 'lib', 'infra');
    expect(files.flatMap(([path, source]) => findUndocumented(path, source))).toEqual([]);
  });

  it('finds one type under one name', () => {
    const twice = [
      ['a.ts', 'export type A = 1;'],
      ['b.ts', 'export interface A {}\nexport const A = 1;'],
    ] as const;
    expect(findDoubles(twice)).toEqual(['A: a.ts, b.ts']);
    expect(findDoubles(readSources('functions', 'lib', 'infra'))).toEqual([]);
  });

  it('reads files of 90 lines, as a rule, and of 250 at most', () => {
    const lengths = readSources('functions', 'lib', 'infra')
      .map(([, text]) => text.split('\n').length - 1)
      .toSorted((one, other) => one - other);
    expect(lengths[Math.floor(lengths.length / 2)]).toBeLessThanOrEqual(90);
    expect(lengths.at(-1)).toBeLessThanOrEqual(250);
  });
});
