// Finds the inventory that a command reads.
import { join } from 'node:path';
import { isCheckout, top } from './checkout.ts';
import { CommandError } from './errors.ts';

/** Path of the inventory: as given, else CERTRELAY_INVENTORY, else that of the checkout.
 *  @throws CommandError `usage` in a package, which has no inventory of its own. */
export function findInventory(given: unknown, env: Readonly<Record<string, string | undefined>>): string {
  if (typeof given === 'string') return given;
  if (env.CERTRELAY_INVENTORY) return env.CERTRELAY_INVENTORY;
  // That of a package is an example, and nobody's.
  if (isCheckout) return join(top, 'infra/certificates.yaml');
  throw new CommandError(
    'usage',
    'no inventory is here: name its file (lint FILE, else --inventory FILE), or set CERTRELAY_INVENTORY',
  );
}
