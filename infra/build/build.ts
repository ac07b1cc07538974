// Bundles every function into dist/<function>/ and the agent into dist/agent/. Each folder contains exactly
// what runs there.
import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { build, type Metafile, type Plugin } from 'esbuild';
import { mapConcurrently } from '../../lib/async/map-concurrently.ts';
import { readInventory } from '../inventory/read-inventory.ts';
import { isMainScript } from '../node/main-script.ts';
import { mergeStart } from './one-start.ts';

/** What to build, and where. */
export interface BuildOptions {
  /** Folder of the sources. A file that exports `handler` is a function. */
  readonly sourceFolder: string;
  /** Folder to write to: one subfolder for each function. Files of an earlier build in it are removed. */
  readonly outFolder: string;
  /** The inventory file. Each bundle gets it as `certificates.json`, parsed and with every default. */
  readonly inventoryFile: string;
}

/** One function as built. */
export interface BuiltFunction {
  readonly name: string;
  /** Bytes of the scripts that are read at start, and of those that are read later. */
  readonly startBytes: number;
  readonly laterBytes: number;
  /** Every source file in the bundle, and those of them that are read at start; paths relative to the working
   *  directory. */
  readonly sources: readonly string[];
  readonly startSources: readonly string[];
}

/** Functions bundled at the same time; each needs some hundred megabytes. */
const concurrency = 2;

/** Builds all functions. Unchanged files are not written again, so a bundle may run meanwhile.
 *  @throws Error if a source does not compile, or with every mistake of the inventory. */
export async function buildFunctions(options: BuildOptions): Promise<readonly BuiltFunction[]> {
  // Read here, so that a mistake is found before the deploy and not by a function in the cloud.
  const inventory = Buffer.from(JSON.stringify(await readInventory(options.inventoryFile)));
  const entries = await findEntries(options.sourceFolder);
  return mapConcurrently(entries, concurrency, (entry) => buildFunction(entry, options.outFolder, inventory));
}

/** Entry points: the files that export `handler`, and the agent. Other files are parts that they share. */
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
    // Names of errors and functions appear in logs and stack traces.
    keepNames: true,
    // Code behind `await import()` becomes a separate file that only the invocations that need it read.
    splitting: true,
    chunkNames: '[name]-[hash]',
    // CommonJS dependencies call `require` for Node's own modules; an ES module has no `require`.
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

/** Scripts that Node reads for one script: itself and its static imports, direct or not. */
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

/** `acme-client` sends requests with axios. `lib/adapters/acme` has its own transport, so axios is left
 *  out. */
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

/** Makes a folder contain exactly these files. Each file is replaced atomically. */
async function replaceFolder(folder: string, contents: ReadonlyMap<string, Buffer>): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of contents) {
    const file = join(folder, name);
    const existing = await readFile(file).catch(() => undefined);
    if (existing?.equals(content)) continue;
    // Outside the folder, because another build may be clearing it.
    const fresh = `${folder}.${randomUUID()}`;
    await writeFile(fresh, content);
    await rename(fresh, file);
  }
  for (const name of await readdir(folder)) {
    if (!contents.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Builds the service of a folder: `functions/` with an inventory, `infra/certificates.yaml` where none is
 *  named, into `outFolder`. @throws Error as `buildFunctions` does. */
export async function buildService(
  root: string,
  outFolder: string,
  inventoryFile: string = join(root, 'infra', 'certificates.yaml'),
): Promise<readonly BuiltFunction[]> {
  return buildFunctions({ sourceFolder: join(root, 'functions'), outFolder, inventoryFile });
}

if (isMainScript(import.meta)) {
  const root = resolve(import.meta.dirname, '../..');
  const kilobytes = (bytes: number) => `${Math.ceil(bytes / 1024)} KB`;
  for (const { name, startBytes, laterBytes } of await buildService(root, join(root, 'dist'))) {
    console.log(`dist/${name}: ${kilobytes(startBytes)} at start, ${kilobytes(laterBytes)} when needed`);
  }
}
