// `npm start` prints what README.md shows of it.
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import { top } from '../docs/markdown.ts';

/** Numbers differ from run to run: times, ports, sizes. */
const mask = (line: string) => line.trim().replaceAll(/\d+/g, '0');

/** Whether a line of the sample, which may be cut by `…`, shows a printed line. */
function shows(sample: string, printed: string): boolean {
  const [begin = ''] = mask(sample).split('…');
  return begin === mask(sample) ? begin === mask(printed) : mask(printed).startsWith(begin);
}

/** The lines of the sample that do not come in the output, each after the one before. */
function findMissing(sample: readonly string[], output: readonly string[]): readonly string[] {
  let at = 0;
  return sample.filter((line) => {
    const found = output.findIndex((printed, index) => index >= at && shows(line, printed));
    if (found !== -1) at = found + 1;
    return found === -1;
  });
}

test('the sample of npm start in README.md is what it prints, line after line', async () => {
  const readme = await readFile(join(top, 'README.md'), 'utf8');
  const sample = /`npm start` prints[^\n]*\n\n```\n([\s\S]*?)\n```/.exec(readme)?.[1]?.split('\n') ?? [];
  expect(sample).toHaveLength(15);
  const { stdout } = await promisify(execFile)(process.execPath, ['test/sandbox/story.ts'], { cwd: top });
  const output = stdout.split('\n');
  expect(findMissing(sample, output)).toEqual([]);
  expect(findMissing(['  0.0 s  Nothing of this kind is printed'], output)).toHaveLength(1);
}, 240_000);
