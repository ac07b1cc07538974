// Builds only what changed: `serverless invoke local` calls a function many times between two changes.
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, rename, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { BuiltFunction } from './build.ts';

/** What a build was made from and what it made, by path: a hash, or size and time of change for a file of a
 *  package. */
interface BuildRecord {
  readonly inputs: Readonly<Record<string, string>>;
  readonly outputs: Readonly<Record<string, string>>;
}

const recordName = 'build.json';

/** The inventory that goes into the bundles. */
export interface BuildInventory {
  readonly file: string;
  /** Whether the functions will read another one (`CERTRELAY_INVENTORY`), so that a change in this one is no
   *  reason to build. */
  readonly isReadAtRunTime: boolean;
}

/** Builds a service unless its bundles in `outFolder` are what a build would make: the same sources,
 *  inventory and packages as last time, and nothing else written to the bundles since.
 *  @param inventory That of the service if not given.
 *  @returns Whether it built. @throws Error as `buildService` does. */
export async function buildIfChanged(
  root: string,
  outFolder: string,
  inventory: BuildInventory = { file: join(root, 'infra', 'certificates.yaml'), isReadAtRunTime: false },
): Promise<boolean> {
  const before = await readRecord(outFolder);
  const { file: inventoryFile, isReadAtRunTime } = inventory;
  const isSame = isReadAtRunTime || Object.hasOwn(before?.inputs ?? {}, resolve(inventoryFile));
  if (before !== undefined && isSame && (await isUnchanged(before))) return false;
  // Imported late: without a change nobody needs the compiler.
  const { buildService } = await import('./build.ts');
  const startedAt = Date.now();
  const built = await buildService(root, outFolder, inventoryFile);
  const own = [...(isReadAtRunTime ? [] : [inventoryFile]), ...inputNames.map((path) => join(root, path))];
  const record = await describeBuild(built, own, outFolder);
  // A source that was saved meanwhile may be in the bundle as it was before.
  const times = await Promise.all(Object.keys(record.inputs).map(readChangeTime));
  if (times.some((time) => time >= startedAt)) return true;
  const file = join(outFolder, recordName);
  const fresh = `${file}.${randomUUID()}`;
  await writeFile(fresh, JSON.stringify(record));
  await rename(fresh, file);
  return true;
}

/** What a build reads beside the sources and the inventory. */
const inputNames = ['functions', 'package-lock.json', 'tsconfig.json'];

async function describeBuild(
  built: readonly BuiltFunction[],
  own: readonly string[],
  outFolder: string,
): Promise<BuildRecord> {
  const tools = ['build.ts', 'one-start.ts'].map((name) => join(import.meta.dirname, name));
  const sources = built.flatMap((one) => one.sources).filter((source) => !source.includes(':'));
  const inputs = new Set([...sources, ...tools, ...own].map((path) => resolve(path)));
  const folders = built.map(({ name }) => join(outFolder, name));
  const names = await Promise.all(folders.map((folder) => readdir(folder)));
  const outputs = folders.flatMap((folder, index) => [
    folder,
    ...(names[index] ?? []).map((name) => join(folder, name)),
  ]);
  return { inputs: await takeMarks([...inputs]), outputs: await takeMarks(outputs) };
}

async function isUnchanged({ inputs, outputs }: BuildRecord): Promise<boolean> {
  const all = Object.entries({ ...inputs, ...outputs });
  const marks = await takeMarks(all.map(([path]) => path));
  return all.every(([path, mark]) => marks[path] === mark);
}

async function takeMarks(paths: readonly string[]): Promise<Readonly<Record<string, string>>> {
  const marks = await Promise.all(paths.map(async (path) => [path, await markOf(path)] as const));
  return Object.fromEntries(marks);
}

/** Of a folder, the names in it; of a package's file, which nobody edits, when it was installed. */
async function markOf(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) return (await readdir(path)).toSorted().join();
    if (path.includes('/node_modules/')) return `${found.size} ${found.mtimeMs}`;
    return createHash('sha256')
      .update(await readFile(path))
      .digest('hex');
  } catch (error) {
    if (Object(error).code === 'ENOENT') return 'absent';
    throw error;
  }
}

async function readChangeTime(path: string): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  return found?.mtimeMs ?? 0;
}

/** A record that cannot be read is none. */
async function readRecord(outFolder: string): Promise<BuildRecord | undefined> {
  try {
    const record: BuildRecord = JSON.parse(await readFile(join(outFolder, recordName), 'utf8'));
    return typeof record.inputs === 'object' && typeof record.outputs === 'object' ? record : undefined;
  } catch {
    return undefined;
  }
}
