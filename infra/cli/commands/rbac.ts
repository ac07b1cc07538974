// `certrelay rbac`: prints the least rights that clusters must give.
import { oneLine } from '../../../lib/policy/bounds.ts';
import { toError } from '../../../lib/ports/errors.ts';
import { describeRoles } from '../../inventory/rbac.ts';
import { readInventory } from '../../inventory/read-inventory.ts';
import type { RunCommand } from '../definitions.ts';
import { CommandError, exitCodes } from '../errors.ts';
import { findInventory } from '../inventory-file.ts';

/** Runs it. */
export const run: RunCommand = async ({ terminal }, [cluster], options) => {
  const { user, serviceAccount, argoRollouts, inventory } = options;
  const args = [
    ...(typeof cluster === 'string' ? [cluster] : []),
    ...(typeof user === 'string' ? [`--user=${user}`] : []),
    ...(typeof serviceAccount === 'string' ? [`--service-account=${serviceAccount}`] : []),
    ...(argoRollouts ? ['--argo-rollouts'] : []),
  ];
  const read = await readInventory(findInventory(inventory, terminal.env)).catch(toError);
  if (read instanceof Error) {
    const lines = read.message.split('\n').map((line) => `${oneLine(line, 1_000)}\n`);
    terminal.err.write(lines.join(''));
    return exitCodes.usage;
  }
  try {
    terminal.out.write(describeRoles(args, read));
  } catch (error) {
    throw new CommandError('usage', toError(error).message);
  }
  return exitCodes.fine;
};
