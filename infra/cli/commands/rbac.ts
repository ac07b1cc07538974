// `certrelay rbac`: prints the least rights that clusters must give.
import { toError } from '../../../lib/ports/errors.ts';
import { describeRoles } from '../../rbac.ts';
import { readInventory } from '../../read-inventory.ts';
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
  const file = findInventory(inventory, terminal.env);
  try {
    terminal.out.write(describeRoles(args, await readInventory(file)));
  } catch (error) {
    throw new CommandError('usage', toError(error).message);
  }
  return exitCodes.fine;
};
