// Each command of a page that is followed by what it prints is run against the sandbox, in the order of the
// page, and prints that.
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { showPath } from '../../infra/cli/checkout.ts';
import { certrelayWith } from '../cli/harness.ts';
import { type OperatedSandbox, startOperatedSandbox } from '../sandbox/operated.ts';
import { type Block, readPages } from './markdown.ts';

let sandbox: OperatedSandbox;
/** Where the pages say `exported`. */
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'certrelay-exported-'));
  sandbox = await startOperatedSandbox();
  // The bundles are built first, if nobody has built them yet.
}, 300_000);
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
  await sandbox.stop();
});

// That of README.md has a test of its own, in test/cli.
const pages = readPages().filter(({ path }) => path !== 'README.md');
const shown = pages.flatMap(({ path, blocks }) => findShown(path, blocks));

/** Commands with their output: a block of `sh` before one of `console`. */
function findShown(path: string, blocks: readonly Block[]) {
  return blocks.flatMap(({ language, text: output }, index) => {
    if (language !== 'console') return [];
    const command = blocks[index - 1]?.language === 'sh' ? (blocks[index - 1]?.text ?? '') : '';
    return [{ path, command, output }];
  });
}

/** Words of a shell's line, with quotes taken away. */
function readWords(line: string): readonly string[] {
  return [...line.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, one, two, three]) => one ?? two ?? three ?? '',
  );
}

/** What is the same on every day: instants, days and versions are not, nor are the widths of columns and
 *  where lines break. */
function steady(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/127\.0\.0\.1:\d+/g, 'HERE')
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d (UTC|[+-]\d\d:\d\d)/g, 'TIME')
    .replaceAll(/\d{4}-[\d: -]*…/g, '…')
    .replaceAll(/\b\d{4}-\d\d-\d\d\b/g, 'DAY')
    .replaceAll(/\b\d+\.\d\b/g, 'DAYS')
    .replaceAll(/\b[0-9a-f]{64}\b/g, 'VERSION')
    .trim();
}

it('a page shows commands with what they print', () => {
  expect(shown.length).toBeGreaterThan(3);
  expect(shown.filter(({ command }) => !command.startsWith('npx certrelay '))).toEqual([]);
});

it.each(shown)('$path: $command', async ({ command, output }) => {
  await sandbox.queues.issue.untilEmpty();
  await sandbox.queues.deploy.untilEmpty();
  const args = readWords(command)
    .slice(2)
    .map((word) => (word === 'exported' ? folder : word));
  const env = { ...sandbox.environment, COLUMNS: '80' };
  const ended = await certrelayWith(args, { env });
  const told = ended.shown
    // Beside the sandbox's folder, it is shown as it is reached from the checkout.
    .replaceAll(showPath(sandbox.inventoryPath, process.cwd()), 'infra/certificates.yaml')
    .replaceAll(sandbox.inventoryPath, 'infra/certificates.yaml')
    .replaceAll(folder, 'exported');
  // A last line of `…` stands for the rest.
  const [begin = '', rest] = output.split('\n…');
  if (rest === undefined) expect(steady(told)).toBe(steady(output));
  else expect(steady(told).slice(0, steady(begin).length)).toBe(steady(begin));
});
