// Bundles the command line into dist/cli, and puts it where npx finds it. npm calls this after each install.
import { mkdir, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { basename, join, relative, resolve } from 'node:path';
import { isMainScript } from '../node/main-script.ts';

const top = resolve(import.meta.dirname, '../..');
/** A command that runs reads its scripts when it needs them, so those of an earlier build stay for a
 *  while. */
const keptMs = 3_600_000;
const recordName = 'sources.json';

/** Builds the command line into a folder. `sources.json` in it tells of what: size and time of change of each
 *  source. The package that npm packs does not have it: its bundle is complete.
 *  @throws Error if a source does not compile. */
export async function buildCommandLine(outFolder: string): Promise<void> {
  const { build } = await import('esbuild');
  const startedAt = Date.now();
  const { outputFiles, metafile } = await build({
    absWorkingDir: top,
    entryPoints: { main: join(import.meta.dirname, 'main.ts') },
    outdir: outFolder,
    write: false,
    metafile: true,
    bundle: true,
    minify: true,
    keepNames: true,
    // Each command reads what it needs.
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    mainFields: ['module', 'main'],
    chunkNames: '[name]-[hash]',
    legalComments: 'none',
    logLevel: 'warning',
    banner: {
      js: `import{createRequire as certrelayRequire}from'node:module';const require=certrelayRequire(import.meta.url);`,
    },
  });
  await mkdir(outFolder, { recursive: true });
  // The entry last: what it imports is there then.
  const files = outputFiles.toSorted((one, other) => rankOf(one.path) - rankOf(other.path));
  for (const { path, contents } of files) await replaceFile(path, contents);
  await replaceFile(join(outFolder, 'package.json'), Buffer.from('{"type":"module"}\n'));
  await removeOld(outFolder, new Set([...files.map(({ path }) => basename(path)), 'package.json']));
  const inputs = Object.keys(metafile.inputs).filter((path) => !path.includes('node_modules/'));
  const own = ['infra/cli/build.ts', 'package-lock.json', 'tsconfig.json'];
  const marks = await Promise.all([...new Set([...inputs, ...own])].map(markSource));
  // A source that was saved meanwhile may be in the bundle as it was before: it has no mark.
  const record = Object.fromEntries(
    marks.map(({ path, size, mtimeMs }) => [path, mtimeMs >= startedAt ? '' : `${size} ${mtimeMs}`]),
  );
  await replaceFile(join(outFolder, recordName), Buffer.from(JSON.stringify(record)));
}

function rankOf(path: string): number {
  return basename(path) === 'main.js' ? 1 : 0;
}

async function markSource(path: string) {
  const { size, mtimeMs } = await stat(join(top, path));
  return { path: relative(top, join(top, path)).replaceAll('\\', '/'), size, mtimeMs };
}

async function replaceFile(path: string, contents: Uint8Array): Promise<void> {
  const fresh = `${path}.${process.pid}`;
  await writeFile(fresh, contents);
  await rename(fresh, path);
}

async function removeOld(folder: string, current: ReadonlySet<string>): Promise<void> {
  for (const name of await readdir(folder)) {
    if (current.has(name) || name === '.cache' || name === recordName) continue;
    // Another build at the same time has renamed or removed its file.
    const found = await stat(join(folder, name)).catch(passOverMissing);
    if (found === undefined) continue;
    if (Date.now() - found.mtimeMs > keptMs) await rm(join(folder, name), { force: true });
  }
}

function passOverMissing(error: unknown): undefined {
  if (Object(error).code !== 'ENOENT') throw error;
}

/** Puts a link where npx looks first, in the checkout and in each folder of it: npm links the commands of
 *  packages that are installed, and not that of the package itself. */
async function linkCommand(): Promise<void> {
  // Windows has scripts in place of links; there npx finds the command in the checkout's own folder.
  if (process.platform === 'win32') return;
  const link = join(top, 'node_modules/.bin/certrelay');
  await rm(link, { force: true });
  await symlink('../../infra/cli/certrelay.mjs', link);
}

if (isMainScript(import.meta)) {
  const isInstall = process.argv.includes('--install');
  try {
    if (isInstall) await linkCommand();
    await buildCommandLine(join(top, 'dist/cli'));
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    // An install without esbuild is not broken by it: the command is built when somebody calls it.
    if (!isInstall) process.exitCode = 1;
  }
}
