// The table of README.md is what `npx certrelay status` prints of an installation in some trouble.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readPage, top } from '../docs/markdown.ts';
import { type OperatedSandbox, startOperatedSandbox } from '../sandbox/operated.ts';
import { createOrders } from '../sandbox/orders.ts';
import { certrelay } from './harness.ts';

let sandbox: OperatedSandbox;
beforeAll(async () => {
  sandbox = await startOperatedSandbox();
  sandbox.agent.start();
  await sandbox.lambda.invoke('issue', {});
  await sandbox.queues.deploy.untilEmpty();
  const isDelivered = async () => (await status('depot')).shown.includes('Healthy');
  for (const deadline = Date.now() + 60_000; !(await isDelivered()) && Date.now() < deadline; );
  const order = createOrders(sandbox);
  for (const trouble of ['pause', 'old', 'orphan']) await order(['break', trouble]);
});
afterAll(() => sandbox.stop());

const status = (...names: readonly string[]) =>
  certrelay(['status', ...names].join(' '), { env: { ...sandbox.environment, COLUMNS: '110' } });

/** Without what differs from day to day, and without the widths of columns. */
const steady = (text: string) =>
  text
    .replaceAll(/-?\d+(\.\d+)?/g, '0')
    .replaceAll(/[ \t]+/g, ' ')
    .trim();

test('README.md shows the table that status prints', async () => {
  const { blocks } = readPage('README.md', readFileSync(join(top, 'README.md'), 'utf8'));
  const [sample] = blocks.filter(({ language }) => language === 'console');
  const { shown, code } = await status();
  expect(code).toBe(1);
  const [table = ''] = shown.split('\nto go on, run:');
  expect(steady(sample?.text ?? '')).toBe(steady(table));
});
