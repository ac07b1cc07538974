// The roles with which a sandbox's functions and agents run: those of the packaged template, for the
// sandbox's inventory.

import { readInventory } from '../../infra/inventory/read-inventory.ts';
import { allowInventory } from '../../infra/template/permissions.ts';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { findBuilt } from '../built.ts';
import type { Statement } from '../sandbox/iam/evaluation.ts';
import { readPackagedService } from './packaged.ts';
import { type Account, readAgentRole, readPolicies } from './policies.ts';
import { readUnpackaged } from './unpackaged.ts';

/** Statements by the name of the function, or `agent-<cluster>`. The inventory is read once: as on AWS, what
 *  it asks for later needs another deploy.
 *  @param keepsLastingRecords Whether the roles may write records that stay, as those of a deploy with such
 *  an issuer. */
export async function readSandboxRoles(
  account: Account,
  inventoryFile: string,
  agents: { readonly clusters: readonly string[]; readonly list: boolean },
  keepsLastingRecords = false,
): Promise<ReadonlyMap<string, readonly Statement[]>> {
  // A test run packages once; to package takes longer than all the rest of `npm start`.
  const isTestRun = (await findBuilt('packaged')) !== undefined;
  const read = await readInventory(inventoryFile);
  const inventory = keepsLastingRecords ? withLastingRecords(read) : read;
  const template = isTestRun ? (await readPackagedService()).template : await readUnpackaged(inventory);
  // The packaged template is that of an inventory that needs none of this.
  if (isTestRun) allowInventory(template.Resources, inventory);
  const agentRoles = await Promise.all(
    agents.clusters.map(
      async (name) => [`agent-${name}`, await readAgentRole(name, agents.list, inventory.kmsKey)] as const,
    ),
  );
  return new Map([...Object.entries(readPolicies(template, account)), ...agentRoles]);
}

/** The inventory as of an installation that has an issuer whose records stay. */
function withLastingRecords(inventory: Inventory): Inventory {
  const lasting = { directory: '', contact: [], agreeToTerms: true, challenge: 'dns-persist-01' } as const;
  return { ...inventory, issuers: { ...inventory.issuers, lasting } };
}
