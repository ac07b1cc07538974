// The roles with which a sandbox's functions and agents run: those of the packaged template, for the sandbox's inventory.
import { readInventory } from '../../infra/build.ts';
import { allowInventory } from '../../infra/permissions.ts';
import { findBuilt } from '../built.ts';
import type { Statement } from '../sandbox/iam/evaluation.ts';
import { readPackagedService } from './packaged.ts';
import { type Account, readAgentRole, readPolicies } from './policies.ts';
import { readUnpackaged } from './unpackaged.ts';

/** Statements by the name of the function, or `agent-<cluster>`. The inventory is read once: as on AWS, what it asks for later
 *  needs another deploy. */
export async function readSandboxRoles(
  account: Account,
  inventoryFile: string,
  agents: { readonly clusters: readonly string[]; readonly list: boolean },
): Promise<ReadonlyMap<string, readonly Statement[]>> {
  // A test run packages once; to package takes longer than all the rest of `npm start`.
  const isTestRun = (await findBuilt('packaged')) !== undefined;
  const inventory = await readInventory(inventoryFile);
  const template = isTestRun ? (await readPackagedService()).template : await readUnpackaged(inventory);
  // The packaged template is that of an inventory that needs none of this.
  if (isTestRun) allowInventory(template.Resources, inventory);
  const agentRoles = await Promise.all(
    agents.clusters.map(async (name) => [`agent-${name}`, await readAgentRole(name, agents.list)] as const),
  );
  return new Map([...Object.entries(readPolicies(template, account)), ...agentRoles]);
}
