// Finds the inventory that a command reads.
import { fileURLToPath } from 'node:url';

/** Path of the inventory: as given, else CERTRELAY_INVENTORY, else that of the checkout. */
export function findInventory(given: unknown, env: Readonly<Record<string, string | undefined>>): string {
  if (typeof given === 'string') return given;
  // From this folder and from the bundle's, the checkout is two folders up.
  return env.CERTRELAY_INVENTORY || fileURLToPath(new URL('../../infra/certificates.yaml', import.meta.url));
}
