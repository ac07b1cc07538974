// What is put into the roles of infra/roles.yml: the keys of tags that each may write, and what the inventory names.
import type { Inventory } from '../lib/certificate/spec.ts';
import { certificateTags, installationTags, tagPatterns } from './tag-keys.ts';

/** What a template makes, by logical id. */
export type Resources = Readonly<
  Record<
    string,
    {
      readonly Type: string;
      readonly Condition?: string;
      readonly Properties?: Readonly<Record<string, unknown>>;
    }
  >
>;

/** Fills the roles. To be called once for a template, as infra/roles.yml makes it.
 *  @throws Error where that has not the roles or the statements that are to be filled. */
export function fillRoles(resources: Resources, inventory: Inventory): void {
  allowTags(resources);
  allowInventory(resources, inventory);
}

/** Statements by which tags are written, and which tags these are. A person's own tags, once there are any, belong here too. */
const taggingStatements = { TagCertificates: certificateTags, TagInstallation: installationTags } as const;

/** Names in each statement that tags the keys that its role may write. */
function allowTags(resources: Resources): void {
  for (const [name, { Type }] of Object.entries(resources)) {
    if (Type !== 'AWS::IAM::Role') continue;
    const writer = name.replace(/Role$/, '').toLowerCase();
    for (const statements of statementsOf(resources, name)) {
      for (const [index, statement] of statements.entries()) {
        const tags = Object.entries(taggingStatements).find(([sid]) => sid === statement.Sid)?.[1];
        if (!tags) continue;
        const keys = { 'aws:TagKeys': tagPatterns(tags, writer) };
        // Another object: YAML lets roles share their statements.
        const Condition = { ...Object(statement.Condition), 'ForAllValues:StringLike': keys };
        statements[index] = { ...statement, Condition };
      }
    }
  }
}

interface PolicyStatement {
  readonly Sid?: string;
  readonly Condition?: unknown;
}

/** The statements of each policy of a role, which may be exchanged. */
function statementsOf(resources: Resources, role: string): readonly PolicyStatement[][] {
  return policiesOf(resources, role).map(({ PolicyDocument }) => PolicyDocument.Statement);
}

interface Policy {
  readonly PolicyName: string;
  readonly PolicyDocument: { readonly Version: string; readonly Statement: PolicyStatement[] };
}

function policiesOf(resources: Resources, role: string): Policy[] {
  const policies = resources[role]?.Properties?.Policies;
  if (!Array.isArray(policies)) throw new Error(`infra/roles.yml has no ${role} with policies`);
  return policies;
}

/** Roles of the functions that order, and of those that go into clusters (infra/roles.yml). */
const orderingRoles = ['IssueRole', 'RevokeRole'];
const clusterRoles = ['DeployRole', 'DiscoverRole', 'ImportRole'];

/** Lets the ordering functions assume just the roles that dns.zones names; and those that go into clusters the roles, or
 *  describe the clusters, that clusters.<name>.eks does. */
export function allowInventory(resources: Resources, { dns, clusters }: Inventory): void {
  const zoneRoles = dns?.zones?.map(({ roleArn }) => roleArn) ?? [];
  const eks = Object.values(clusters).flatMap((cluster) => ('eks' in cluster ? [cluster.eks] : []));
  const eksRoles = eks.flatMap(({ roleArn }) => roleArn ?? []);
  // With a role of its own, it is the role that describes.
  const described = eks.flatMap(({ name, region, roleArn }) =>
    roleArn === undefined ? [`arn:\${AWS::Partition}:eks:${region}:\${AWS::AccountId}:cluster/${name}`] : [],
  );
  allow(resources, orderingRoles, 'ReachZones', 'sts:AssumeRole', zoneRoles);
  allow(resources, clusterRoles, 'ReachClusters', 'sts:AssumeRole', eksRoles);
  allow(resources, clusterRoles, 'DescribeClusters', 'eks:DescribeCluster', described);
}

/** Adds a statement to each of the roles; none where it would allow nothing. */
function allow(
  resources: Resources,
  roles: readonly string[],
  sid: string,
  action: string,
  arns: readonly string[],
): void {
  if (arns.length === 0) return;
  const statement = {
    Sid: sid,
    Effect: 'Allow',
    Action: action,
    Resource: [...new Set(arns)].map((arn) => (arn.includes('${') ? { 'Fn::Sub': arn } : arn)),
  };
  for (const name of roles) {
    policiesOf(resources, name).push({
      PolicyName: sid,
      PolicyDocument: { Version: '2012-10-17', Statement: [statement] },
    });
  }
}
