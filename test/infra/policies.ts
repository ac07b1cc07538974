// Reads the IAM statements of each function out of a packaged template, and those of the roles that are
// deployed beside it.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
import { checkStatement, type Statement } from '../sandbox/iam/evaluation.ts';
import type { Template } from './packaged.ts';
import { parseTemplate } from './template-yaml.ts';

export interface Account {
  readonly region: string;
  readonly account: string;
  /** ARNs of resources that `Fn::GetAtt … Arn` names, by logical id; others get one made of the logical
   *  id. */
  readonly arns?: Readonly<Record<string, string>>;
  /** Values of the template's parameters, before what they are where nothing is said. */
  readonly parameters?: Readonly<Record<string, string>>;
}

const oneOrMore = z.union([z.unknown().array(), z.unknown().transform((value) => [value])]);
const document = z.object({
  Statement: z.array(
    z.strictObject({
      Sid: z.string().default(''),
      Effect: z.literal('Allow'),
      Action: oneOrMore.pipe(z.array(z.string())),
      Resource: oneOrMore,
      Condition: z.record(z.string(), z.record(z.string(), oneOrMore)).default({}),
    }),
  ),
});
const role = z.strictObject({
  AssumeRolePolicyDocument: z.unknown(),
  Policies: z.array(z.object({ PolicyDocument: document })),
});
/** More for a role, where the template's condition holds. */
const rolePolicy = z.looseObject({ RoleName: z.object({ Ref: z.string() }), PolicyDocument: document });
/** The only condition there is: whether a parameter is set. */
const isSet = z.strictObject({
  'Fn::Not': z.tuple([
    z.strictObject({ 'Fn::Equals': z.tuple([z.object({ Ref: z.string() }), z.literal('')]) }),
  ]),
});
const lambda = z.object({
  Handler: z.string(),
  Role: z.object({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
});

/** The statements of each function's role, by the function's name.
 *  @throws Error where a function has no role of its own, or a role holds what this file cannot judge. */
export function readPolicies(
  template: Template,
  account: Account,
): Readonly<Record<string, readonly Statement[]>> {
  const defaults = Object.entries(template.Parameters).map(([name, { Default = '' }]) => [name, Default]);
  const parameters = { ...Object.fromEntries(defaults), ...account.parameters };
  const resolved = { ...account, parameters };
  const functions = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  const policies = functions.map(({ Properties }) => {
    const { Handler, Role } = lambda.parse(Properties);
    const name = /^dist\/([\w-]+)\//.exec(Handler)?.[1];
    const id = Role['Fn::GetAtt'][0];
    const resource = template.Resources[id];
    if (name === undefined || resource?.Type !== 'AWS::IAM::Role') throw new Error(`no role for ${Handler}`);
    const more = Object.values(template.Resources)
      .filter(
        ({ Type, Condition }) => Type === 'AWS::IAM::RolePolicy' && isMade(Condition, template, parameters),
      )
      .map(({ Properties }) => rolePolicy.parse(Properties))
      .filter(({ RoleName }) => RoleName.Ref === id)
      .flatMap(({ PolicyDocument }) => readDocument(PolicyDocument, resolved));
    return [name, [...readRole(resource.Properties, resolved), ...more]] as const;
  });
  return Object.fromEntries(policies);
}

function isMade(
  condition: unknown,
  { Conditions }: Template,
  parameters: Readonly<Record<string, string>>,
): boolean {
  if (typeof condition !== 'string') return true;
  const [{ 'Fn::Equals': equals }] = isSet.parse(Conditions[condition])['Fn::Not'];
  return (parameters[equals[0].Ref] ?? '') !== '';
}

/** The statements of one role, by its properties in a template. @throws Error where it holds what this file
 *  cannot judge. */
export function readRole(properties: unknown, account: Account): readonly Statement[] {
  return role
    .parse(properties)
    .Policies.flatMap(({ PolicyDocument }) => readDocument(PolicyDocument, account));
}

/** @throws Error for a statement that the sandbox's IAM cannot judge. */
function readDocument({ Statement }: z.output<typeof document>, account: Account): readonly Statement[] {
  const statements = Statement.map((statement) => ({
    sid: statement.Sid,
    actions: statement.Action,
    resources: statement.Resource.map((value) => resolveArn(value, account)),
    conditions: mapEach(statement.Condition, (keys) =>
      mapEach(keys, (values) => values.map((value) => resolveArn(value, account))),
    ),
  }));
  for (const statement of statements) checkStatement(statement);
  return statements;
}

function mapEach<T, U>(record: Readonly<Record<string, T>>, change: (value: T) => U): Record<string, U> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}

/** The same with each `Fn::If` as its condition says. @throws Error for a condition that nobody has said
 *  anything about. */
function chooseBranches(value: unknown, conditions: Readonly<Record<string, boolean>>): unknown {
  if (Array.isArray(value)) return value.map((one) => chooseBranches(one, conditions));
  if (typeof value !== 'object' || value === null) return value;
  const branch = choice.safeParse(value).data?.['Fn::If'];
  if (branch) {
    const holds = conditions[branch[0]];
    if (holds === undefined) throw new Error(`a condition this file cannot judge: ${branch[0]}`);
    return chooseBranches(holds ? branch[1] : branch[2], conditions);
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, chooseBranches(one, conditions)]),
  );
}

const choice = z.strictObject({ 'Fn::If': z.tuple([z.string(), z.unknown(), z.unknown()]) });
const withRoles = z.object({ Resources: z.record(z.string(), z.object({ Properties: z.unknown() })) });

/** infra/dns-role.yaml, the role that another account makes: what it may do there; `lasting`:
 *  LastingRecords. */
export async function readDnsRole(lasting = false): Promise<readonly Statement[]> {
  const text = await readFile(join(import.meta.dirname, '../../infra/dns-role.yaml'), 'utf8');
  const { DnsRole } = withRoles.parse(parseTemplate(text)).Resources;
  const chosen = chooseBranches(DnsRole?.Properties, { WritesLastingRecords: lasting, HasExternalId: true });
  return readRole(chosen, { region: 'eu-central-1', account: '210987654321' });
}

/** infra/agent-role.yaml as deployed for a cluster: what its agent may do; `lists`: ListsRegistered,
 *  `kmsKey`: KmsKey. */
export async function readAgentRole(
  cluster: string,
  lists = false,
  kmsKey?: string,
): Promise<readonly Statement[]> {
  const text = await readFile(join(import.meta.dirname, '../../infra/agent-role.yaml'), 'utf8');
  const names: Readonly<Record<string, string>> = {
    Cluster: cluster,
    Prefix: 'certrelay',
    'AWS::Partition': 'aws',
    'AWS::Region': 'eu-central-1',
    'AWS::AccountId': '123456789012',
  };
  const written = /PolicyDocument: !Sub \|\n((?: {12}.*\n)+)/.exec(text)?.[1] ?? '';
  const json = written.replace(/\$\{([\w:]+)\}/g, (_, name: string) => names[name] ?? `unknown ${name}`);
  const policy = { PolicyDocument: JSON.parse(json) };
  const account = { region: 'eu-central-1', account: '123456789012' };
  const own = readRole({ AssumeRolePolicyDocument: undefined, Policies: [policy] }, account);
  const { ListRegistered, UseKmsKey } = withRoles.parse(parseTemplate(text)).Resources;
  const chosen = [...(lists ? [ListRegistered] : []), ...(kmsKey === undefined ? [] : [UseKmsKey])];
  const parameters = { KmsKey: kmsKey ?? '' };
  const more = chosen.flatMap((policy) =>
    readDocument(rolePolicy.parse(policy?.Properties).PolicyDocument, { ...account, parameters }),
  );
  return [...own, ...more];
}

const intrinsic = z.union([
  z.string(),
  z.strictObject({ 'Fn::Sub': z.string() }),
  z.strictObject({ 'Fn::GetAtt': z.tuple([z.string(), z.literal('Arn')]) }),
]);

function resolveArn(value: unknown, { region, account, arns, parameters }: Account): string {
  const parsed = intrinsic.parse(value);
  if (typeof parsed === 'string') return parsed;
  const arnOf = (logicalId: string) =>
    arns?.[logicalId] ?? `arn:aws:cloudformation:${region}:${account}:resource/${logicalId}`;
  if ('Fn::GetAtt' in parsed) return arnOf(parsed['Fn::GetAtt'][0]);
  const names: Readonly<Record<string, string>> = {
    ...parameters,
    'AWS::Partition': 'aws',
    'AWS::Region': region,
    'AWS::AccountId': account,
  };
  return parsed['Fn::Sub'].replace(/\$\{([\w:.]+)\}/g, (_, name: string) => {
    const resolved =
      names[name] ?? arns?.[name] ?? (name.endsWith('.Arn') ? arnOf(name.slice(0, -4)) : undefined);
    if (resolved === undefined) throw new Error(`a reference this file cannot resolve: ${name}`);
    return resolved;
  });
}
