// `certrelay inventory --for-agent`: prints the part of the inventory for the agent of one cluster.
import { printAgentInventory } from '../../inventory/agent-inventory.ts';
import type { RunCommand } from '../definitions.ts';
import { findInventory } from '../inventory-file.ts';

/** Runs it, whose codes are exit codes. */
export const run: RunCommand = async ({ terminal }, _values, { forAgent, inventory }) => {
  const file = findInventory(inventory, terminal.env);
  const { code, text } = await printAgentInventory([String(forAgent), '--inventory', file]);
  (code === 0 ? terminal.out : terminal.err).write(`${text.trimEnd()}\n`);
  return code;
};
