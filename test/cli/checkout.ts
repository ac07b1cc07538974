// A copy of parts of this checkout, in which a test can build and change what it likes.
import { cp, mkdir, mkdtemp, readdir, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The checkout that this file is in. */
export const root = join(import.meta.dirname, '../..');

/** Copies files and folders, and links what npm has installed. Returns the new folder. */
export async function copyCheckout(parts: readonly string[]): Promise<string> {
  const checkout = await mkdtemp(join(tmpdir(), 'certrelay-checkout-'));
  for (const part of parts) await cp(join(root, part), join(checkout, part), { recursive: true });
  const modules = join(checkout, 'node_modules');
  await mkdir(join(modules, '.bin'), { recursive: true });
  for (const name of await readdir(join(root, 'node_modules')))
    if (name !== '.bin') await symlink(join(root, 'node_modules', name), join(modules, name));
  await symlink(process.execPath, join(modules, '.bin/node'));
  return checkout;
}
