// docs/behaviours.md against the tests: each code of a title is a row, and each test of a row is there.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { top } from './markdown.ts';

const code = /\b[PNWKCMDY]\d\d\b/g;

/** One row: what shows it is a list of `[file](path): title`. */
const rows = readFileSync(join(top, 'docs/behaviours.md'), 'utf8')
  .split('\n')
  .flatMap((line) => {
    const [, name, there, here, shown] = line.split(/(?<!\\)\|/).map((cell) => cell.trim());
    if (name === undefined || !/^[A-Z]\d\d$/.test(name)) return [];
    const tests = [...(shown ?? '').matchAll(/\[[^\]]+\]\(\.\.\/([^)]+)\): (.*?)(?=<br>|$)/g)];
    return [{ name, there, here, tests: tests.map(([, path = '', title = '']) => ({ path, title })) }];
  });

test('each row says what there was and what is here, once', () => {
  expect(rows.length).toBeGreaterThan(100);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
  for (const { name, there, here } of rows) expect([name, there, here]).not.toContain('');
});

test('each row names a test with its code, or says why there is none', () => {
  const silent = rows.filter(
    ({ tests, here }) => tests.length === 0 && !/^left out|nothing to do$/.test(here ?? ''),
  );
  expect(silent.map(({ name }) => name)).toEqual([]);
});

test('each test that a row names is there, with the code in its file', () => {
  const lost = rows.flatMap(({ name, tests }) =>
    tests.flatMap(({ path, title }) => {
      const text = readFileSync(join(top, path), 'utf8');
      const isThere = text.includes(name) && text.includes(title.replaceAll('\\|', '|'));
      return isThere ? [] : [`${name}: ${path} has no test "${title}"`];
    }),
  );
  expect(lost).toEqual([]);
});

test('each code that a test’s title begins with is a row', () => {
  const known = new Set(rows.map(({ name }) => name));
  const files = readdirSync(join(top, 'test'), { recursive: true, encoding: 'utf8' }).filter((path) =>
    path.endsWith('.ts'),
  );
  const used = files.flatMap((path) => [
    ...readFileSync(join(top, 'test', path), 'utf8').matchAll(/['"`]((?:[PNWKCMDY]\d\d )+)/g),
  ]);
  const codes = new Set(used.flatMap(([, found = '']) => found.match(code) ?? []));
  expect(codes.size).toBeGreaterThan(100);
  expect([...codes].filter((one) => !known.has(one))).toEqual([]);
});
