// What npm packs: all that the command line and the stack need, and nothing else. The command runs from it
// with nothing installed beside it.
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { copyCheckout, root } from './checkout.ts';

const run = promisify(execFile);
/** What is no part of the checkout, or of no matter to npm. */
const left = new Set(['.git', 'node_modules', 'dist', '.serverless', '.sandbox', 'coverage']);

async function pack(checkout: string) {
  const args = ['pack', '--json', '--offline', '--pack-destination', checkout];
  const { stdout } = await run('npm', args, { cwd: checkout });
  // What the build of the bundle says comes first.
  const told = JSON.parse(stdout.slice(stdout.search(/^[[{]/m)));
  const [packed] = Array.isArray(told) ? told : Object.values(told);
  return packed as { readonly filename: string; readonly files: readonly { readonly path: string }[] };
}

it('carries the command line and the stack alone, and the command runs from it', async () => {
  const checkout = await copyCheckout((await readdir(root)).filter((name) => !left.has(name)));
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-packed-'));
  onTestFinished(() => Promise.all([checkout, folder].map((one) => rm(one, { recursive: true }))).then());
  const { filename, files } = await pack(checkout);
  const paths = files.map(({ path }) => path);
  const stack = [
    'dist',
    'docs',
    'functions',
    'infra',
    'lib',
    'package.json',
    'serverless.yml',
    'tsconfig.json',
  ];
  expect(new Set(paths.map((path) => path.split('/')[0]))).toEqual(
    new Set(['LICENSE', 'README.md', ...stack]),
  );
  expect(paths).toEqual(expect.arrayContaining(['dist/cli/main.js', 'infra/certificates.yaml']));
  const dist = paths.filter((path) => path.startsWith('dist/'));
  expect(dist.filter((path) => !/^dist\/cli\/([\w-]+\.js|package\.json)$/.test(path))).toEqual([]);

  await run('tar', ['-xzf', join(checkout, filename), '-C', folder]);
  // As npm installs it: no other package is needed.
  await rename(join(folder, 'package'), join(folder, 'certrelay'));
  const command = join(folder, 'certrelay/infra/cli/certrelay.mjs');
  const env = { PATH: '/nowhere', HOME: folder };
  const help = await run(process.execPath, [command, '--help'], { cwd: folder, env });
  expect(help.stdout).toContain('what would be ordered and delivered now');
  // Its certificates.yaml is an example, and nobody's inventory.
  for (const line of [['lint'], ['rbac', 'lab'], ['inventory', '--for-agent', 'lab']]) {
    const asked = run(process.execPath, [command, ...line], { cwd: folder, env });
    await expect(asked).rejects.toMatchObject({
      code: 2,
      stderr: expect.stringContaining('no inventory is here'),
    });
  }
});
