// Lets functions join the VPC that serverless.yml puts them into.
import type { Resources } from './permissions.ts';

/** The parts of a service that say which functions are in a VPC. */
export interface VpcService {
  readonly functions: Readonly<Record<string, { readonly role?: string; readonly vpc?: unknown }>>;
  /** `vpc`: of every function that has none of its own. */
  readonly provider: { readonly vpc?: unknown };
}

/** What Lambda does in a role's name to connect a function. EC2 has no narrower resource for it. */
const actions = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** Adds to the role of each function in a VPC what Lambda needs to connect it. The function's own code may
 *  not use these rights: its calls are told by `lambda:SourceFunctionArn`. Changes the template in place. */
export function allowVpc(resources: Resources, { functions, provider }: VpcService): void {
  const roles = Object.values(functions).flatMap(({ role, vpc = provider.vpc }) =>
    role === undefined || !vpc ? [] : role,
  );
  for (const role of new Set(roles)) {
    const { Policies } = resources[role]?.Properties ?? {};
    if (!Array.isArray(Policies)) continue;
    const byCode = { Null: { 'lambda:SourceFunctionArn': 'false' } };
    const Statement = [
      { Sid: 'JoinVpc', Effect: 'Allow', Action: actions, Resource: '*' },
      { Sid: 'OnlyLambda', Effect: 'Deny', Action: actions, Resource: '*', Condition: byCode },
    ];
    Policies.push({ PolicyName: 'vpc', PolicyDocument: { Version: '2012-10-17', Statement } });
  }
}
