// Prints the smallest Role and RoleBinding for each namespace of the inventory, for "kubectl apply -f -".
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { dump } from 'js-yaml';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { listRoles, type NamespaceRules, type RoleRule } from '../../lib/policy/kubernetes/cluster-roles.ts';
import { isMainScript } from '../node/main-script.ts';
import { readInventory } from './read-inventory.ts';

const help = `usage: npm run --silent rbac -- [cluster] [--user <name> | --service-account <namespace>/<name>] [--argo-rollouts]

Prints, for the cluster (for each one, where none is named), the least Role and RoleBinding that Certrelay needs in each
namespace that the inventory names, as YAML for "kubectl apply -f -". Read it before you apply it.

  --user <name>                           bind this user: of the client certificate, or of the EKS access entry
  --service-account <namespace>/<name>    bind this ServiceAccount, whose token is in the kubeconfig
                                          (of infra/agent: certrelay/certrelay-agent)
  --argo-rollouts                         let it restart Rollouts of Argo that use a Secret, too: all of the namespaces
  --help                                  print this

With neither, nobody is bound: the subjects are empty. The inventory is infra/certificates.yaml, or what
CERTRELAY_INVENTORY names.
`;

/** Differs from the bindings of infra/rbac.yaml, because the role of an existing binding cannot be
 *  changed. */
const roleName = 'certrelay-inventory';
const apiGroup = 'rbac.authorization.k8s.io';

type Subject = Readonly<Record<'kind' | 'name', string> & Partial<Record<'apiGroup' | 'namespace', string>>>;

/** The text to print for the arguments after `npm run rbac --`. @throws Error that says what to correct. */
export function describeRoles(args: readonly string[], inventory: Inventory): string {
  const { positionals, values } = readArguments(args);
  const known = Object.keys(inventory.clusters);
  const [asked, ...more] = positionals;
  if (more.length > 0) throw new Error(`one cluster or none can be named, not "${positionals.join(' ')}"`);
  if (asked !== undefined && !known.includes(asked)) {
    throw new Error(`the inventory has no cluster "${asked}"; it has ${known.join(', ') || 'none'}`);
  }
  const subject = readSubject(values.user, values['service-account']);
  const clusters = asked === undefined ? known : [asked];
  const options = { argoRollouts: values['argo-rollouts'] };
  return clusters
    .map((cluster) => describeCluster(cluster, listRoles(cluster, inventory, options), subject, inventory))
    .join('');
}

function readArguments(args: readonly string[]) {
  const options = {
    user: { type: 'string' },
    'service-account': { type: 'string' },
    'argo-rollouts': { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  return parseArgs({ args: [...args], options, allowPositionals: true });
}

function readSubject(user: string | undefined, account: string | undefined): Subject | undefined {
  if (user !== undefined && account !== undefined) {
    throw new Error('give --user or --service-account, not both');
  }
  if (user === '') throw new Error('--user must be the name that the cluster knows Certrelay by');
  if (user !== undefined) return { apiGroup, kind: 'User', name: user };
  if (account === undefined) return undefined;
  const [namespace = '', name = '', ...more] = account.split('/');
  if (namespace === '' || name === '' || more.length > 0) {
    throw new Error(`--service-account must be <namespace>/<name>, not "${account}"`);
  }
  return { kind: 'ServiceAccount', name, namespace };
}

function describeCluster(
  cluster: string,
  roles: readonly NamespaceRules[],
  subject: Subject | undefined,
  inventory: Inventory,
): string {
  const head = [
    `# Cluster ${cluster}: what Certrelay needs in each namespace, from the inventory. Print it again after each change of it.`,
    ...(roles.length === 0 ? ['# Nothing is delivered, discovered or pruned there.'] : []),
    ...(subject || roles.length === 0
      ? []
      : ['# Nobody is bound: give --user <name> or --service-account <namespace>/<name>.']),
    `# A wider binding of before, to a role of infra/rbac.yaml, is taken away with:`,
    `#   kubectl --namespace <namespace> delete rolebinding certrelay`,
    ...(inventory.clusters[cluster]?.prune === undefined
      ? []
      : [
          '# Where a ReferenceGrant lets Gateways or ListenerSets of other namespaces in, bind certrelay-prune-gateways of infra/rbac.yaml there.',
        ]),
  ].map((line) => `${line}\n`);
  return [...head, ...roles.flatMap((one) => describeNamespace(one, subject))].join('');
}

function describeNamespace(
  { namespace, rules }: NamespaceRules,
  subject: Subject | undefined,
): readonly string[] {
  const metadata = { name: roleName, namespace };
  const role = dump({ apiVersion: `${apiGroup}/v1`, kind: 'Role', metadata });
  const binding = dump({
    apiVersion: `${apiGroup}/v1`,
    kind: 'RoleBinding',
    metadata,
    roleRef: { apiGroup, kind: 'Role', name: roleName },
    subjects: subject ? [subject] : [],
  });
  return [`---\n${role}rules:\n${rules.map(describeRule).join('')}`, `---\n${binding}`];
}

/** One rule under the reason for it, each of its lists on one line. */
function describeRule({ why, ...rule }: RoleRule): string {
  const fields = Object.entries(rule).map(([name, values]) => `${name}: ${JSON.stringify(values)}\n`);
  return `  # ${why}\n  - ${fields.join('    ')}`;
}

async function main(args: readonly string[]): Promise<void> {
  if (readArguments(args).values.help) return void process.stdout.write(help);
  const file = process.env.CERTRELAY_INVENTORY ?? join(import.meta.dirname, '../certificates.yaml');
  process.stdout.write(describeRoles(args, await readInventory(file)));
}

if (isMainScript(import.meta)) {
  await main(process.argv.slice(2)).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
