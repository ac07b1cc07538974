// Whether roles go on to write `_validation-persist.*`: no deploy takes a right away from an installation that may use it.

/** Whom to tell what was found. */
interface Log {
  notice(line: string): void;
}

/** To be asked where no issuer of the inventory writes records that stay. `auto` looks at the deployed template and says what it
 *  does; where nobody can look, nothing is kept, and that is said.
 *  @param parameter `auto`, `used` or `kept`. @param readTemplate Gives the deployed template; empty where there is no stack.
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
