// Fills the roles of roles.yml: the tag keys that each may write, and the zones, roles, clusters and KMS key
// of the inventory.
import type { Inventory } from '../../lib/certificate/spec.ts';
import { writesLastingRecords } from './lasting-records.ts';
import { certificateTags, installationTags, tagPatterns } from './tag-keys.ts';

/** Resources of a template, by logical id. */
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

/** Logical id that osls gives a function in the template. @param name As in serverless.yml. */
export function functionId(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}LambdaFunction`;
}

/** Parameters of serverless.yml about roles. */
export interface RoleOptions {
  /** Ids of hosted zones, separated by commas; empty: all zones of the account. */
  readonly hostedZones?: string;
  /** `tagged`: no certificate is imported into ACM for the first time. */
  readonly acmImports?: string;
  /** Whether persistent records may be written although no issuer of the inventory writes any. */
  readonly keepsLastingRecords?: boolean;
}

/** Fills the roles of a template in place. Call it once for each template.
 *  @throws Error for an invalid parameter, or if the template lacks a statement that must be filled. */
export function fillRoles(resources: Resources, inventory: Inventory, options: RoleOptions = {}): void {
  const { hostedZones = '', acmImports = 'new', keepsLastingRecords = false } = options;
  allowTags(resources, Object.keys(inventory.tags ?? {}));
  allowInventory(resources, inventory);
  if (keepsLastingRecords && !writesLastingRecords(inventory)) allowLastingRecords(resources);
  narrowZones(resources, hostedZones);
  if (acmImports === 'tagged') removeStatement(resources, 'DeployRole', 'ImportCertificates');
  else if (acmImports !== 'new') throw new Error(`acmImports: "${acmImports}" must be new or tagged`);
}

const recordNames = 'route53:ChangeResourceRecordSetsNormalizedRecordNames';

/** Adds the names of persistent records to those of challenges. */
function allowLastingRecords(resources: Resources): void {
  const names = { [recordNames]: ['_acme-challenge.*', '_validation-persist.*'] };
  for (const role of orderingRoles) {
    changeStatements(resources, role, ['AnswerChallenges'], ({ Condition, ...rest }) => ({
      ...rest,
      Condition: { ...Object(Condition), 'ForAllValues:StringLike': names },
    }));
  }
}

/** Each zone appears twice in a role, whose policies may have 10,240 characters in total. */
const mostZones = 30;

/** What is wrong with a list of ids of hosted zones, or `undefined`. The sentence goes on after the list. */
export function findZoneProblem(hostedZones: string): string | undefined {
  const ids = splitZones(hostedZones);
  const wrong = ids.find((id) => !/^Z[A-Z0-9]{1,31}$/.test(id));
  if (wrong !== undefined)
    return `has ${JSON.stringify(wrong.slice(0, 80))}, which is no id of a hosted zone, such as Z0123456789ABCDEFGHIJ`;
  return ids.length > mostZones
    ? `has ${ids.length} ids, and IAM takes ${mostZones} in a role's policy; leave it out, or move zones to another account (dns.zones)`
    : undefined;
}

function splitZones(hostedZones: string): readonly string[] {
  return hostedZones.split(',').flatMap((id) => id.trim() || []);
}

function narrowZones(resources: Resources, hostedZones: string): void {
  const problem = findZoneProblem(hostedZones);
  if (problem !== undefined) throw new Error(`hostedZones ${problem}`);
  const ids = splitZones(hostedZones);
  if (ids.length === 0) return;
  const arns = ids.map((id) => ({ 'Fn::Sub': `arn:\${AWS::Partition}:route53:::hostedzone/${id}` }));
  for (const role of orderingRoles) {
    const sids = ['ReadRecords', 'AnswerChallenges'];
    changeStatements(resources, role, sids, (statement) => ({ ...statement, Resource: arns }));
  }
}

function removeStatement(resources: Resources, role: string, sid: string): void {
  for (const statements of statementsOf(resources, role)) {
    const index = statements.findIndex((statement) => statement.Sid === sid);
    if (index >= 0) statements.splice(index, 1);
  }
}

/** Replaces the statements with these names by new objects, because YAML lets roles share their
 *  statements. */
function changeStatements(
  resources: Resources,
  role: string,
  sids: readonly string[],
  change: (statement: PolicyStatement) => PolicyStatement,
): void {
  for (const statements of statementsOf(resources, role)) {
    for (const [index, statement] of statements.entries()) {
      if (sids.includes(statement.Sid ?? '')) statements[index] = change(statement);
    }
  }
}

/** Statements that allow writing tags, and the tags of each. */
const taggingStatements = { TagCertificates: certificateTags, TagInstallation: installationTags } as const;

/** Sets, in each statement about tags, the keys that its role may write. Who makes certificates' AWS secrets
 *  may give them the operator's own tags.
 *  @param own Their keys. */
function allowTags(resources: Resources, own: readonly string[]): void {
  for (const [name, { Type }] of Object.entries(resources)) {
    if (Type !== 'AWS::IAM::Role') continue;
    const writer = name.replace(/Role$/, '').toLowerCase();
    for (const [sid, tags] of Object.entries(taggingStatements)) {
      const patterns = tagPatterns(tags, writer);
      changeStatements(resources, name, [sid], ({ Condition, ...rest }) => {
        const isMaker = sid === 'TagCertificates' && JSON.stringify(rest).includes(':CreateSecret');
        const keys = { 'aws:TagKeys': isMaker ? [...patterns, ...own] : patterns };
        return { ...rest, Condition: { ...Object(Condition), 'ForAllValues:StringLike': keys } };
      });
    }
  }
}

interface PolicyStatement {
  readonly Sid?: string;
  readonly Action?: string | readonly string[];
  readonly Condition?: unknown;
  readonly Resource?: unknown;
}

/** The statements of each policy of a role; they may be replaced in place. */
function statementsOf(resources: Resources, role: string): readonly PolicyStatement[][] {
  return policiesOf(resources, role).map(({ PolicyDocument }) => PolicyDocument.Statement);
}

interface Policy {
  readonly PolicyName: string;
  readonly PolicyDocument: { readonly Version: string; readonly Statement: PolicyStatement[] };
}

function policiesOf(resources: Resources, role: string): Policy[] {
  const policies = resources[role]?.Properties?.Policies;
  if (!Array.isArray(policies)) throw new Error(`infra/template/roles.yml has no ${role} with policies`);
  return policies;
}

/** Roles of the functions that order, and of those that go into clusters (infra/template/roles.yml). */
const orderingRoles = ['IssueRole', 'RevokeRole'];
const clusterRoles = ['DeployRole', 'DiscoverRole', 'ImportRole'];

/** Adds what the inventory needs. Ordering functions may write persistent records if an issuer does, and
 *  assume exactly the roles of `dns.zones`. Functions that call clusters may assume the roles, or describe
 *  the clusters, of `clusters.<name>.eks`. Whoever reads or writes certificates may use `kmsKey`. */
export function allowInventory(resources: Resources, inventory: Inventory): void {
  const { dns, clusters } = inventory;
  if (writesLastingRecords(inventory)) allowLastingRecords(resources);
  const zoneRoles = dns?.zones?.map(({ roleArn }) => roleArn) ?? [];
  const eks = Object.values(clusters).flatMap((cluster) => ('eks' in cluster ? [cluster.eks] : []));
  const eksRoles = eks.flatMap(({ roleArn }) => roleArn ?? []);
  // If the cluster has a role, that role describes it.
  const described = eks.flatMap(({ name, region, roleArn }) =>
    roleArn === undefined ? [`arn:\${AWS::Partition}:eks:${region}:\${AWS::AccountId}:cluster/${name}`] : [],
  );
  allow(resources, orderingRoles, { sid: 'ReachZones', action: 'sts:AssumeRole', arns: zoneRoles });
  allow(resources, clusterRoles, { sid: 'ReachClusters', action: 'sts:AssumeRole', arns: eksRoles });
  allow(resources, clusterRoles, { sid: 'DescribeClusters', action: 'eks:DescribeCluster', arns: described });
  if (inventory.kmsKey !== undefined) allowKmsKey(resources, inventory.kmsKey);
}

/** Adds the rights to the KMS key by what each role does with certificates' AWS secrets, and only if Secrets
 *  Manager asks for it: Decrypt to who reads values, and to who makes them or writes values GenerateDataKey
 *  too. A secret has a key of its own region, which the ARN names. */
function allowKmsKey(resources: Resources, kmsKey: string): void {
  const region = kmsKey.split(':')[3] ?? '';
  const condition = { StringEquals: { 'kms:ViaService': `secretsmanager.${region}.amazonaws.com` } };
  const roles = Object.keys(resources).filter((name) => resources[name]?.Type === 'AWS::IAM::Role');
  for (const role of roles) {
    const actions = statementsOf(resources, role)
      .flat()
      .filter(({ Resource }) => JSON.stringify(Resource ?? '').includes('/certificates/*'))
      .flatMap(({ Action }) => Action ?? []);
    const does = (...names: readonly string[]) =>
      names.some((name) => actions.includes(`secretsmanager:${name}`));
    const encrypt = does('CreateSecret', 'PutSecretValue') ? ['kms:GenerateDataKey'] : [];
    if (encrypt.length === 0 && !does('GetSecretValue')) continue;
    allow(resources, [role], {
      sid: 'UseKmsKey',
      action: ['kms:Decrypt', ...encrypt],
      arns: [kmsKey],
      condition,
    });
  }
}

interface Allowance {
  readonly sid: string;
  readonly action: string | readonly string[];
  readonly arns: readonly string[];
  readonly condition?: object;
}

/** Adds a statement to each of the roles, unless it would allow nothing. */
function allow(
  resources: Resources,
  roles: readonly string[],
  { sid, action, arns, condition }: Allowance,
): void {
  if (arns.length === 0) return;
  const statement = {
    Sid: sid,
    Effect: 'Allow',
    Action: action,
    Resource: [...new Set(arns)].map((arn) => (arn.includes('${') ? { 'Fn::Sub': arn } : arn)),
    ...(condition && { Condition: condition }),
  };
  for (const name of roles) {
    policiesOf(resources, name).push({
      PolicyName: sid,
      PolicyDocument: { Version: '2012-10-17', Statement: [statement] },
    });
  }
}
