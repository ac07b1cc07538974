// Finds the inventory that a command reads.
import { join } from 'node:path';
import { top } from './checkout.ts';

/** Path of the inventory: as given, else CERTRELAY_INVENTORY, else that of the checkout. */
export function findInventory(given: unknown, env: Readonly<Record<string, string | undefined>>): string {
  if (typeof given === 'string') return given;
  return env.CERTRELAY_INVENTORY || join(top, 'infra/certificates.yaml');
}
