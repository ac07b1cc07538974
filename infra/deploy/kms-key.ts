// Checks kmsKey of the inventory against the stack.
import type { Inventory } from '../../lib/certificate/spec.ts';

/** One sentence if `kmsKey` is no key for a stack in this region: Secrets Manager uses keys of its own region
 *  only. */
export function findKeyProblems({ kmsKey }: Pick<Inventory, 'kmsKey'>, region: string): readonly string[] {
  const own = kmsKey?.split(':')[3];
  if (own === undefined || own === region) return [];
  const problem = `kmsKey is a key in ${own}, and the stack is in ${region}; use a key there (or the replica there of a multi-Region key)`;
  return [problem];
}
