// Reads the inventory file of a service.
import { readFile } from 'node:fs/promises';
import type { Inventory } from '../lib/certificate/spec.ts';
import { parseInventory } from '../lib/inventory/inventory.ts';
import { describeProblems } from '../lib/inventory/problems.ts';

/** Reads and checks the inventory. @param prefix The installation's, where it is known.
 *  @throws Error with every mistake in it. */
export async function readInventory(file: string, prefix?: string): Promise<Inventory> {
  const parsed = parseInventory(await readFile(file, 'utf8'), prefix);
  if ('problems' in parsed) throw new Error(describeProblems(file, parsed.problems));
  return parsed.inventory;
}
