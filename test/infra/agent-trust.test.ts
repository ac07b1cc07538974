// Who may take the role of an agent, as infra/agent-role.yaml says it for each way that a cluster has.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { parseTemplate } from './template-yaml.ts';

const [oidc, eks] = [
  'oidc.eks.eu-central-1.amazonaws.com/id/A1',
  'arn:aws:eks:eu-west-1:123456789012:cluster/edge',
];
const user = 'arn:aws:iam::123456789012:user/edge';

const texts = z.record(z.string(), z.string());
const trust = z.strictObject({
  Version: z.literal('2012-10-17'),
  Statement: z.array(
    z.strictObject({
      Effect: z.literal('Allow'),
      Principal: texts,
      Action: z.union([z.string(), z.array(z.string())]),
      Condition: z.strictObject({ StringEquals: texts }).optional(),
    }),
  ),
});
const template = z.object({
  Parameters: z.record(z.string(), z.object({ Default: z.string().optional() })),
  Resources: z.object({
    AgentRole: z.object({ Properties: z.object({ AssumeRolePolicyDocument: z.unknown() }) }),
  }),
});
const call = z.record(z.string(), z.array(z.unknown()));

/** The trust policy of the role with these parameters. */
async function readTrust(given: Readonly<Record<string, string>>) {
  const text = await readFile(join(import.meta.dirname, '../../infra/agent-role.yaml'), 'utf8');
  const { Parameters, Resources } = template.parse(parseTemplate(text));
  const values: Record<string, string> = { 'AWS::Partition': 'aws', 'AWS::AccountId': '123456789012' };
  for (const [name, { Default = '' }] of Object.entries(Parameters)) values[name] = given[name] ?? Default;
  const holds = (condition: unknown) =>
    values[condition === 'HasProvider' ? 'OidcProvider' : 'EksCluster'] !== '';
  const fill = (words: string, more: Readonly<Record<string, string>>) =>
    words.replace(/\$\{([\w:]+)\}/g, (_, name: string) => more[name] ?? values[name] ?? `unknown ${name}`);
  const evaluate = (value: unknown): string => {
    if (typeof value === 'string') return value;
    const own = z.object({ 'Fn::Sub': z.string() }).safeParse(value).data;
    if (own) return fill(own['Fn::Sub'], {});
    const [name = '', parts = []] = Object.entries(call.parse(value))[0] ?? [];
    switch (name) {
      case 'Fn::If':
        return evaluate(holds(parts[0]) ? parts[1] : parts[2]);
      case 'Fn::Sub': {
        const named = Object.entries(z.record(z.string(), z.unknown()).parse(parts[1]));
        return fill(evaluate(parts[0]), Object.fromEntries(named.map(([key, one]) => [key, evaluate(one)])));
      }
      case 'Fn::Select':
        return (values.ServiceAccount ?? '').split(':')[Number(parts[0])] ?? '';
      default:
        throw new Error(`a function this file cannot judge: ${name}`);
    }
  };
  return trust.parse(JSON.parse(evaluate(Resources.AgentRole.Properties.AssumeRolePolicyDocument))).Statement;
}

const byOidc = {
  Effect: 'Allow',
  Principal: { Federated: `arn:aws:iam::123456789012:oidc-provider/${oidc}` },
  Action: 'sts:AssumeRoleWithWebIdentity',
  Condition: {
    StringEquals: {
      [`${oidc}:aud`]: 'sts.amazonaws.com',
      [`${oidc}:sub`]: 'system:serviceaccount:certrelay:certrelay-agent',
    },
  },
};
/** Without one of these conditions another account, cluster or pod would have the role. */
const byPods = {
  Effect: 'Allow',
  Principal: { Service: 'pods.eks.amazonaws.com' },
  Action: ['sts:AssumeRole', 'sts:TagSession'],
  Condition: {
    StringEquals: {
      'aws:SourceAccount': '123456789012',
      'aws:RequestTag/eks-cluster-arn': eks,
      'aws:RequestTag/kubernetes-namespace': 'certrelay',
      'aws:RequestTag/kubernetes-service-account': 'certrelay-agent',
    },
  },
};
const byUser = { Effect: 'Allow', Principal: { AWS: user }, Action: 'sts:AssumeRole' };

describe('the role of an agent is for', () => {
  it.each<[string, Readonly<Record<string, string>>, readonly object[]]>([
    ['a user, as before', { Principal: user }, [byUser]],
    ['a service account, by IRSA, as before', { OidcProvider: oidc }, [byOidc]],
    ['a service account, by Pod Identity', { EksCluster: eks }, [byPods]],
    ['a service account, by both', { EksCluster: eks, OidcProvider: oidc }, [byOidc, byPods]],
  ])('%s, and for nobody else', async (_, parameters, statements) => {
    expect(await readTrust(parameters)).toEqual(statements);
  });
});
