// Decides whether roles may still write `_validation-persist.*`. No deploy takes this right from an
// installation that may use it.
import type { Inventory } from '../../lib/certificate/spec.ts';

/** Whether an issuer of the inventory writes persistent records. */
export function writesLastingRecords({ issuers }: Pick<Inventory, 'issuers'>): boolean {
  return Object.values(issuers).some(({ challenge }) => challenge === 'dns-persist-01');
}

/** Prints one line of advice. */
interface Log {
  notice(line: string): void;
}

/** Whether the roles keep the right to write persistent records although no issuer of the inventory writes
 *  any. `auto` reads the deployed template and prints what it decides. If the template cannot be read, the
 *  right is not kept, and a line says so.
 *  @param parameter `auto`, `used` or `kept`.
 *  @param readTemplate Returns the deployed template; empty if there is no stack.
 *  @throws Error for another parameter. */
export async function keepsLastingRecords(
  parameter: string,
  readTemplate: () => Promise<string>,
  log: Log,
): Promise<boolean> {
  if (!['auto', 'used', 'kept'].includes(parameter)) {
    throw new Error(`lastingRecords: "${parameter}" must be auto, used or kept`);
  }
  if (parameter !== 'auto') return parameter === 'kept';
  try {
    const had = (await readTemplate()).includes('_validation-persist.*');
    if (had) {
      log.notice(
        'The deployed roles may write _validation-persist.*, which no issuer of the inventory needs. They go on to; say --param="lastingRecords=used" to take that away.',
      );
    }
    return had;
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error);
    log.notice(
      `The deployed stack cannot be looked at (${problem}). No issuer of the inventory has challenge dns-persist-01, so these roles may not write _validation-persist.*; say --param="lastingRecords=kept" if the deployed ones may and are to go on.`,
    );
    return false;
  }
}
