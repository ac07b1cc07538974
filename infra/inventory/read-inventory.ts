// Reads the inventory file of a service.
import { readFile } from 'node:fs/promises';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { describeProblems } from '../../lib/inventory/problems.ts';
import { explainFileError } from '../node/file-errors.ts';

/** Reads and checks the inventory. @param prefix The installation's, where it is known.
 *  @throws Error with every mistake in it. */
export async function readInventory(file: string, prefix?: string): Promise<Inventory> {
  const parsed = parseInventory(await readInventoryText(file), prefix);
  if ('problems' in parsed) throw new Error(describeProblems(file, parsed.problems));
  return parsed.inventory;
}

/** The text of the file. @throws Error that says why it cannot be read, and what to do. */
export async function readInventoryText(file: string): Promise<string> {
  return readFile(file, 'utf8').catch((error: unknown) => {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT';
    const why = isMissing
      ? 'there is no such file; give the path of yours, or run this in the checkout'
      : explainFileError(error);
    throw new Error(`the inventory ${file} cannot be read: ${why}`, { cause: error });
  });
}
