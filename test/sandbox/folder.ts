// Whose a sandbox's folder is: one sandbox at a time has it, says so in it, and gives it back.
import { mkdir, readdir, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import * as z from 'zod';

const ownerFile = 'sandbox.json';
const answerWithinMs = 5000;
const longestClaimMs = 4 * answerWithinMs;

const owner = z.object({
  /** Process id of the sandbox. */
  process: z.number(),
  /** Folder of the checkout that it runs from. */
  checkout: z.string(),
  startedAt: z.string(),
  /** Where it takes orders, and the word that shows who may give them; absent if it takes none. */
  control: z.object({ url: z.string(), token: z.string() }).optional(),
});

/** Who a folder belongs to. */
export type FolderOwner = z.infer<typeof owner>;

/** Writes into a folder whose it is. */
export async function signFolder(folder: string, signed: FolderOwner): Promise<void> {
  await writeFile(join(folder, ownerFile), `${JSON.stringify(signed, null, 2)}\n`, { mode: 0o600 });
}

/** The owner that a folder names; `undefined` if it names none. @throws Error if it cannot be read. */
export async function readOwner(folder: string): Promise<FolderOwner | undefined> {
  const text = await readFile(join(folder, ownerFile), 'utf8').catch((error: unknown) => {
    if (Object(error).code === 'ENOENT') return undefined;
    throw error;
  });
  return text === undefined ? undefined : owner.parse(JSON.parse(text));
}

/** Takes a folder, which is made if it is not there. What a sandbox that is gone has left in it is removed.
 *  @throws Error, with what to do, if another sandbox has it or if it holds anything else. */
export async function claimFolder(folder: string, claim: FolderOwner): Promise<void> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await alone(`${folder}.claim`, async () => {
    const before = await readOwner(folder);
    if (before && (await isAlive(before))) throw new Error(describeOwner(folder, before));
    const left = await readdir(folder);
    if (!before && left.length > 0) {
      throw new Error(`${folder} holds files that are no sandbox’s; name an empty folder with --folder`);
    }
    for (const name of left) await rm(join(folder, name), { recursive: true, force: true });
    await signFolder(folder, claim);
  });
}

/** Carries something out while nobody else does, on this machine. A lock that is older than anybody needs is
 *  a dead process's. */
async function alone(lock: string, act: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if (Object(error).code !== 'EEXIST') throw error;
    }
    const found = await stat(lock).catch(() => undefined);
    if (found && Date.now() - found.mtimeMs > longestClaimMs) await rmdir(lock).catch(() => undefined);
    else await pause(20);
  }
  try {
    await act();
  } finally {
    await rmdir(lock).catch(() => undefined);
  }
}

/** Removes a folder that is this owner's; another's stays. */
export async function leaveFolder(
  folder: string,
  { process, startedAt, control }: FolderOwner,
): Promise<void> {
  const found = await readOwner(folder).catch(() => undefined);
  const isOwn = found?.process === process && found.startedAt === startedAt;
  if (!isOwn || found.control?.token !== control?.token) return;
  await rm(folder, { recursive: true, force: true });
}

function describeOwner(folder: string, { process, checkout, startedAt }: FolderOwner): string {
  return [
    `${folder} belongs to the sandbox of ${checkout}, process ${process}, started at ${startedAt}.`,
    `End that one (Ctrl-C, or kill ${process}), or give this one another folder: --folder PATH`,
  ].join('\n');
}

/** Whether a sandbox still answers where it said. Its process id alone tells nothing: it may be another's by
 *  now. One that does not answer in time counts as alive. */
async function isAlive({ control, startedAt }: FolderOwner): Promise<boolean> {
  if (!control) return false;
  try {
    const response = await fetch(`${control.url}/owner`, {
      headers: { authorization: `Bearer ${control.token}` },
      signal: AbortSignal.timeout(answerWithinMs),
    });
    return response.ok && owner.parse(await response.json()).startedAt === startedAt;
  } catch (error) {
    return Object(error).name === 'TimeoutError';
  }
}
