// What `serverless remove` says at its end: what stays of the installation, and how each of it is removed.

import { join } from 'node:path';
import { paginateListSecrets, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { type Inventory, isSecretTarget } from '../../lib/certificate/spec.ts';
import { nameSome } from '../../lib/policy/bounds.ts';
import {
  deleteAwsSecretsCommand,
  deleteKubernetesSecretsCommand,
  deleteStackCommand,
  listImportsCommand,
} from '../../lib/policy/commands.ts';
import { listPrices } from '../../lib/policy/cost/prices.ts';
import { isAgentCluster } from '../../lib/policy/delivery/agents.ts';
import { writesLastingRecords } from '../template/lasting-records.ts';
import { describeAwsError, type StackProvider } from './deployed-stack.ts';

/** How long listing may take, in milliseconds. */
const mostMs = 60_000;

/** Kinds of AWS secrets that Certrelay makes, by the first part of the name behind the prefix. */
const madeHere: Readonly<Record<string, string>> = {
  certificates: 'certificates with their private keys',
  accounts: 'ACME accounts',
  agents: 'agents',
  installation: 'the installation',
  'signing-key': 'the key that signs for agents',
  webhook: 'the secret of the webhook',
};

/** Looks at what stays, and returns the lines to print. Never throws: the removal itself went well.
 *  @param folder The folder of the service. */
export async function finishRemoval(
  provider: Pick<StackProvider, 'getAwsSdkV3Config' | 'getRegion'>,
  prefix: string | undefined,
  folder: string,
): Promise<readonly string[]> {
  if (prefix === undefined) return ['The prefix is not known: see docs/upgrade.md for what stays.'];
  const { readInventory } = await import('../inventory/read-inventory.ts');
  const [secrets, inventory] = await Promise.all([
    findAwsSecrets(provider, prefix),
    readInventory(join(folder, 'infra', 'certificates.yaml'), prefix).catch(() => undefined),
  ]);
  return describeLeftovers({ prefix, region: provider.getRegion(), secrets, inventory });
}

/** Names of the installation's AWS secrets, or why they could not be listed: what AWS said. */
export async function findAwsSecrets(
  provider: Pick<StackProvider, 'getAwsSdkV3Config'>,
  prefix: string,
): Promise<readonly string[] | string> {
  try {
    const client = new SecretsManagerClient(await provider.getAwsSdkV3Config());
    try {
      const names: string[] = [];
      const filter = { Filters: [{ Key: 'name' as const, Values: [`${prefix}/`] }], MaxResults: 100 };
      const pages = paginateListSecrets({ client }, filter, { abortSignal: AbortSignal.timeout(mostMs) });
      for await (const { SecretList = [] } of pages) {
        for (const { Name } of SecretList) if (Name?.startsWith(`${prefix}/`)) names.push(Name);
      }
      return names;
    } finally {
      client.destroy();
    }
  } catch (error) {
    return describeAwsError(error);
  }
}

/** The installation whose stack is gone. */
export interface RemovedInstallation {
  readonly prefix: string;
  readonly region: string;
  /** As `findAwsSecrets` gives them. */
  readonly secrets: readonly string[] | string;
  /** Absent: it cannot be read, so it is not known where certificates went. */
  readonly inventory: Inventory | undefined;
}

/** The lines to print. Nothing of it is removed: certificates are served on until they end. */
export function describeLeftovers(installation: RemovedInstallation): readonly string[] {
  const { prefix, region, inventory } = installation;
  const left = [
    ...describeSecrets(installation),
    ...(inventory ? describeElsewhere(inventory) : describeUnknown()),
  ];
  return [
    'What stays, until you remove it (docs/upgrade.md says more):',
    ...left.flatMap(({ what, how }) => [`- ${what}`, ...how.map((line) => `    ${line}`)]),
    `A new deploy with the prefix ${prefix} in ${region} finds all of it again.`,
  ];
}

interface Leftover {
  readonly what: string;
  readonly how: readonly string[];
}

function describeSecrets({ prefix, region, secrets }: RemovedInstallation): readonly Leftover[] {
  const how = [deleteAwsSecretsCommand(prefix, region), 'for 30 days they can be restored, and cost nothing'];
  if (typeof secrets === 'string')
    return [{ what: `AWS secrets under ${prefix}/: they could not be counted (${secrets})`, how }];
  if (secrets.length === 0) return [];
  const kinds = Map.groupBy(secrets, (name) => {
    const kind = name.slice(prefix.length + 1).split('/')[0] ?? '';
    return madeHere[kind] ?? 'made by you, such as kubeconfigs';
  });
  const parts = [...kinds].map(([kind, names]) => `${kind}: ${names.length}`);
  const cost = (secrets.length * listPrices.secret.usd['us-east-1']).toFixed(2);
  const what = `${secrets.length} AWS secrets under ${prefix}/ in ${region}, about ${cost} USD a month (${parts.join('; ')})`;
  return [{ what, how }];
}

function describeElsewhere(inventory: Inventory): readonly Leftover[] {
  const { clusters, certificates, registration, discovery, dns } = inventory;
  const targets = [...certificates.flatMap((one) => one.targets), ...(registration?.targets ?? [])];
  const regions = targets.flatMap((target) => (isSecretTarget(target) ? [] : [target.acm.region]));
  const used = targets.flatMap((target) => (isSecretTarget(target) ? [target.cluster] : []));
  const places = discovery?.places.map(({ cluster }) => cluster) ?? [];
  const agents = Object.keys(clusters).filter((name) => isAgentCluster(name, inventory));
  const roles = [
    ...(dns?.zones?.map(({ roleArn }) => roleArn) ?? []),
    ...Object.values(clusters).flatMap((one) => ('eks' in one && one.eks.roleArn ? [one.eks.roleArn] : [])),
  ];
  return [
    ...list(
      'Kubernetes Secrets, served until their certificates end, in cluster',
      [...used, ...places],
      [`${deleteKubernetesSecretsCommand()}   # once nothing uses them`],
    ),
    ...list(
      'Roles, and a ServiceAccount whose token never expires, if you made them as docs/clusters.md says, in cluster',
      [...used, ...places].filter((name) => !agents.includes(name)),
      [
        'npm run --silent rbac -- <cluster> --service-account certrelay/certrelay | kubectl delete -f -',
        'kubectl delete -f infra/service-account.yaml',
        'kubectl delete -f infra/rbac.yaml   # if you bound its ClusterRoles',
      ],
    ),
    ...list('Agents, in cluster', agents, [
      'kubectl delete -f infra/agent/deployment.yaml -f infra/agent/config.yaml -f infra/agent/rbac.yaml',
      ...agents.map(
        (name) => `${deleteStackCommand(`certrelay-agent-${name}`)}   # or as you have called it`,
      ),
    ]),
    ...list('Certificates in ACM, in region', regions, [
      ...[...new Set(regions)].toSorted().map((region) => listImportsCommand(region)),
      'aws acm delete-certificate --region <region> --certificate-arn <arn>   # for each that nothing uses',
    ]),
    ...(writesLastingRecords(inventory)
      ? [
          {
            what: 'TXT records _validation-persist.<name> of dns-persist-01: they let whoever has the account’s key order certificates for the name',
            how: ['delete them in Route 53, in each hosted zone'],
          },
        ]
      : []),
    ...list('Roles in other accounts, or made for Certrelay:', roles, [
      'delete the stack of infra/dns-role.yaml, or the role, in the account of each',
    ]),
  ];
}

function list(what: string, names: readonly string[], how: readonly string[]): readonly Leftover[] {
  const all = [...new Set(names)].toSorted();
  return all.length === 0 ? [] : [{ what: `${what} ${nameSome(all, 20)}`, how }];
}

/** Without an inventory. */
function describeUnknown(): readonly Leftover[] {
  const what =
    'infra/certificates.yaml could not be read: Kubernetes Secrets, agents, certificates in ACM, _validation-persist. records and roles of other accounts may be left';
  return [{ what, how: [deleteKubernetesSecretsCommand(), 'see docs/upgrade.md for the others'] }];
}
