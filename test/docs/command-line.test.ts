// Each command of a page that is followed by what it prints is run against the sandbox, in the order of the
// page, and prints that.
import { afterAll, beforeAll, expect, it } from 'vitest';
import { certrelay, certrelayWith } from '../cli/harness.ts';
import { type OperatedSandbox, startOperatedSandbox } from '../sandbox/operated.ts';
import { type Block, readPages } from './markdown.ts';

let sandbox: OperatedSandbox;
beforeAll(async () => {
  sandbox = await startOperatedSandbox();
  sandbox.agent.start();
  const isSilent = async () =>
    (await certrelay('status', { env: sandbox.environment })).out.includes('agent/');
  for (const deadline = Date.now() + 60_000; (await isSilent()) && Date.now() < deadline; );
});
afterAll(() => sandbox.stop());

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
    .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d (UTC|[+-]\d\d:\d\d)/g, 'TIME')
    .replaceAll(/\d{4}-[\d: -]*…/g, '…')
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
  const args = readWords(command).slice(2);
  const env = { ...sandbox.environment, COLUMNS: '80' };
  const ended = await certrelayWith(args, { env });
  expect(steady(ended.shown)).toBe(steady(output));
});
