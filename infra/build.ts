// Bundles every function: dist/<function>/ holds all that its Lambda function runs, and nothing of another one's. So does
// dist/agent/ for the agent (infra/agent/).
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { mapConcurrently } from '../lib/async/map-concurrently.ts';
import type { Inventory } from '../lib/certificate/spec.ts';
import { parseInventory } from '../lib/inventory/inventory.ts';
import { describeProblems } from '../lib/inventory/problems.ts';
import { isMainScript } from './main-script.ts';
import { mergeStart } from './one-start.ts';

export interface BuildOptions {
  /** Folder whose files are functions where they export `handler`. */
  readonly sourceFolder: string;
  /** Gets one folder per function; what an earlier build left in such a folder is removed. */
  readonly outFolder: string;
  /** The inventory file; it is packaged beside each bundle as `certificates.json`, parsed and with every default. */
  readonly inventoryFile: string;
}

/** One function as built. */
export interface BuiltFunction {
  readonly name: string;
  /** Size of the scripts that are read at start, and of those that are read when they are first needed. */
  readonly startBytes: number;
  readonly laterBytes: number;
  /** Every source file in the bundle, by its path from the folder the build ran in; of them those that are read at start. */
  readonly sources: readonly string[];
  readonly startSources: readonly string[];
}

/** Functions bundled at once: each takes some hundred megabytes. */
const concurrency = 2;

/** Builds all functions. Files that would not change are left alone, so a bundle may be running meanwhile.
 *  @throws Error when a source does not compile, or with every mistake in the inventory. */
export async function buildFunctions(options: BuildOptions): Promise<readonly BuiltFunction[]> {
  // Here, because a mistake that a function finds is found in the cloud.
  const inventory = Buffer.from(JSON.stringify(await readInventory(options.inventoryFile)));
  const entries = await findEntries(options.sourceFolder);
  return mapConcurrently(entries, concurrency, (entry) => buildFunction(entry, options.outFolder, inventory));
}

/** The inventory in a file. @throws Error with every mistake in it. */
export async function readInventory(file: string): Promise<Inventory> {
  const parsed = parseInventory(await readFile(file, 'utf8'));
  if ('problems' in parsed) throw new Error(describeProblems(file, parsed.problems));
  return parsed.inventory;
}

/** Functions are the files that export `handler`, and the agent is one that runs by itself; the others are parts they share. */
async function findEntries(folder: string): Promise<readonly string[]> {
  const files = (await readdir(folder)).filter((name) => name.endsWith('.ts')).toSorted();
  const sources = await Promise.all(files.map((name) => readFile(join(folder, name), 'utf8')));
  return files
    .filter((_, i) =>
      /^(export (const|function|async function) handler\b|if \(import\.meta\.main\))/m.test(sources[i] ?? ''),
    )
    .map((name) => resolve(folder, name));
}

async function buildFunction(entry: string, outFolder: string, inventory: Buffer): Promise<BuiltFunction> {
  const name = basename(entry, '.ts');
  const folder = resolve(outFolder, name);
  const options = {
    outdir: folder,
    format: 'esm',
    platform: 'node',
    target: 'node24',
    minify: true,
    legalComments: 'none',
    logLevel: 'warning',
  } as const;
  const split = await build({
    ...options,
    entryPoints: { index: entry },
    write: false,
    metafile: true,
    bundle: true,
    mainFields: ['module', 'main'],
    // They are the names of errors, and what a stack trace in the log shows.
    keepNames: true,
    // Code behind `await import()` becomes a file of its own, read only by the runs that need it.
    splitting: true,
    chunkNames: '[name]-[hash]',
    // CommonJS dependencies call `require` for Node's own modules, and an ES module has none.
    banner: {
      js: `import{createRequire as certrelayRequire}from'node:module';const require=certrelayRequire(import.meta.url);`,
    },
    plugins: [withoutAxios],
  });
  const { metafile } = split;
  const outputs = new Map(Object.entries(metafile.outputs).map(([path, output]) => [resolve(path), output]));
  const start = findStart(outputs, join(folder, 'index.js'));
  const scripts = split.outputFiles.map(({ path, text }) => {
    const output = outputs.get(path);
    const isStart = output !== undefined && start.includes(output);
    return [basename(path), { text, exports: output?.exports ?? [], isStart }] as const;
  });
  const outputFiles = await mergeStart(new Map(scripts), options);
  const contents = new Map<string, Buffer>(
    outputFiles.map((file) => [basename(file.path), Buffer.from(file.contents)]),
  );
  contents.set('package.json', Buffer.from('{"type":"module"}\n'));
  contents.set('certificates.json', inventory);
  await replaceFolder(folder, contents);
  const startBytes = contents.get('index.js')?.byteLength ?? 0;
  const startSources = start.flatMap(({ inputs }) => Object.keys(inputs));
  const allBytes = outputFiles.reduce((sum, file) => sum + file.contents.byteLength, 0);
  const laterBytes = allBytes - startBytes;
  return { name, startBytes, laterBytes, startSources, sources: Object.keys(metafile.inputs) };
}

type Output = Metafile['outputs'][string];

/** What Node reads for one script: itself and what it imports other than by `await import()`. */
function findStart(outputs: ReadonlyMap<string, Output>, index: string): readonly Output[] {
  const read = new Set<string>();
  const follow = (path: string): readonly Output[] => {
    const output = outputs.get(path);
    if (!output || read.has(path)) return [];
    read.add(path);
    const imported = output.imports.filter(({ kind }) => kind === 'import-statement');
    return [output, ...imported.flatMap(({ path: next }) => follow(resolve(next)))];
  };
  return follow(index);
}

/** `acme-client` sends requests with axios; `lib/adapters/acme` brings a transport of its own, so axios would be dead weight. */
const withoutAxios: Plugin = {
  name: 'without-axios',
  setup(build) {
    build.onResolve({ filter: /(^|\/)axios$/ }, ({ importer }) =>
      importer.includes(`${join('node_modules', 'acme-client', 'src')}`)
        ? { path: 'axios', namespace: 'absent' }
        : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'absent' }, () => ({
      contents: 'module.exports = { defaults: {} };',
    }));
  },
};

/** Makes a folder hold just these files. Each changes at once or not at all. */
async function replaceFolder(folder: string, contents: ReadonlyMap<string, Buffer>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of contents) {
    const file = join(folder, name);
    const existing = await readFile(file).catch(() => undefined);
    if (existing?.equals(content)) continue;
    // Outside the folder, for another build may be clearing it.
    const fresh = `${folder}.${randomUUID()}`;
    await writeFile(fresh, content);
    await rename(fresh, file);
  }
  for (const name of await readdir(folder)) {
    if (!contents.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Builds the service in a folder: `functions/` with `infra/certificates.yaml` into `outFolder`.
 *  @throws Error as `buildFunctions`. */
export async function buildService(root: string, outFolder: string): Promise<readonly BuiltFunction[]> {
  return buildFunctions({
    sourceFolder: join(root, 'functions'),
    outFolder,
    inventoryFile: join(root, 'infra', 'certificates.yaml'),
  });
}

if (isMainScript(import.meta)) {
  const root = resolve(import.meta.dirname, '..');
  const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024)} KB`;
  for (const { name, startBytes, laterBytes } of await buildService(root, join(root, 'dist'))) {
    console.log(`dist/${name}: ${kilobytes(startBytes)} at start, ${kilobytes(laterBytes)} when needed`);
  }
}
