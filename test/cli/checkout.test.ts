// The command in a checkout: there after npm ci, found by npx in each folder without a network, and built
// again when a source has changed.
import { execFile } from 'node:child_process';
import { mkdir, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { buildCommandLine } from '../../infra/cli/build.ts';
import { copyCheckout, root } from './checkout.ts';

let checkout: string;

beforeAll(async () => {
  checkout = await copyCheckout(['infra', 'lib', 'package.json', 'package-lock.json', 'tsconfig.json']);
  await mkdir(join(checkout, 'test'));
});
afterAll(() => rm(checkout, { recursive: true, force: true }));

const run = (file: string, args: readonly string[], cwd: string) =>
  promisify(execFile)(file, args, { cwd, env: { ...process.env, npm_config_offline: 'true' } });

it('is built although a file of an earlier build goes meanwhile', async () => {
  // What cannot be looked at any more: its end is not there.
  await mkdir(join(checkout, 'dist/other'), { recursive: true });
  await symlink('gone', join(checkout, 'dist/other/list-ABC.js.7'));
  await buildCommandLine(join(checkout, 'dist/other'));
  expect(await readdir(join(checkout, 'dist/other'))).toContain('main.js');
});

it('is linked and built by the install, and built again when a source has changed', async () => {
  const { scripts } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8'));
  const [, ...args] = scripts.prepare.split(' ');
  await run(process.execPath, args, checkout);
  const help = await run('npx', ['certrelay', '--help'], join(checkout, 'lib/policy'));
  expect(help.stdout).toContain('what would be ordered and delivered now');

  const source = join(checkout, 'infra/cli/words/look.ts');
  const text = await readFile(source, 'utf8');
  await writeFile(source, text.replace('what would be ordered', 'WHAT WOULD BE ORDERED'));
  const after = await run('npx', ['--no-install', 'certrelay', '--help'], checkout);
  expect(after.stdout).toContain('WHAT WOULD BE ORDERED');

  // A build that was killed before its end, and a folder that was cleaned by half.
  await rm(join(checkout, 'dist/cli/sources.json'));
  await writeFile(source, text);
  const whole = await run('npx', ['certrelay', '--help'], checkout);
  expect(whole.stdout).toContain('what would be ordered');
  await rm(join(checkout, 'dist/cli/main.js'));
  expect(await run('npx', ['certrelay', '--help'], checkout)).toEqual(whole);

  await writeFile(source, 'this is no TypeScript');
  const broken = run('npx', ['certrelay', '--help'], checkout);
  await expect(broken).rejects.toMatchObject({ code: 2, stderr: expect.stringContaining('run npm ci') });
});
