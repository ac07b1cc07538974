// Prints the part of the inventory for the agent of one cluster. It contains nothing about other clusters.
import { parseArgs } from 'node:util';
import { partForAgent } from '../../lib/agent/scope.ts';
import { serializeInventory } from '../../lib/inventory/inventory.ts';
import { nameSome, oneLine } from '../../lib/policy/bounds.ts';
import { isAgentCluster } from '../../lib/policy/delivery/agents.ts';
import { describeError, toError } from '../../lib/ports/errors.ts';
import { isMainScript } from '../node/main-script.ts';
import { readInventory } from './read-inventory.ts';

const usage = `usage: npm run --silent inventory:agent -- CLUSTER [--inventory FILE]

Prints, as YAML, what of the inventory the agent in CLUSTER needs: its own cluster and targets, without the accounts
of issuers, without other clusters, zones and roles. Give it to the agent in place of the whole:

  npm run --silent inventory:agent -- edge > edge.yaml
  kubectl -n certrelay create configmap certrelay-inventory --from-file=certificates.yaml=edge.yaml

  --inventory FILE   the whole inventory; infra/certificates.yaml where it is left out
  --help             this text

Ends with 0 where it was printed, 1 where the inventory is wrong, 2 where the call is wrong or names a cluster for which
the inventory does not say "agent: true".`;

/** Runs the command: prints the part and returns the exit code. */
export async function printAgentInventory(
  args: readonly string[],
): Promise<{ readonly code: 0 | 1 | 2; readonly text: string }> {
  let cluster: string | undefined;
  let file: string;
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { inventory: { type: 'string' }, help: { type: 'boolean' } },
    });
    if (values.help) return { code: 0, text: usage };
    if (positionals.length !== 1) return { code: 2, text: `name one cluster\n\n${usage}` };
    [cluster] = positionals;
    file = values.inventory ?? 'infra/certificates.yaml';
  } catch (error) {
    return { code: 2, text: `${toError(error).message}\n\n${usage}` };
  }
  try {
    const inventory = await readInventory(file);
    const own = Object.keys(inventory.clusters).filter((name) => isAgentCluster(name, inventory));
    if (!own.includes(cluster ?? '')) return { code: 2, text: describeOthers(cluster ?? '', own) };
    return { code: 0, text: serializeInventory(partForAgent(inventory, cluster ?? '')) };
  } catch (error) {
    return { code: 1, text: describeError(toError(error)) };
  }
}

function describeOthers(cluster: string, own: readonly string[]): string {
  const known = own.length > 0 ? `; it says so for ${nameSome(own, 20)}` : '';
  return `the inventory does not say "agent: true" for a cluster ${JSON.stringify(oneLine(cluster, 100))}${known}`;
}

if (isMainScript(import.meta)) {
  const { code, text } = await printAgentInventory(process.argv.slice(2));
  if (code === 0) console.log(text.trimEnd());
  else console.error(text);
  process.exitCode = code;
}
