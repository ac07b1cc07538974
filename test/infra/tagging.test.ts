// Which functions write the tags that let agents read a certificate.
import { beforeAll, expect, it } from 'vitest';
import { functionNames } from '../function-names.ts';
import { readPackagedService } from './packaged.ts';
import { isAllowed, readAgentRole, readPolicies, type Statement } from './policies.ts';

const region = 'eu-central-1';
const account = '123456789012';
const resource = `arn:aws:secretsmanager:${region}:${account}:secret:certrelay/certificates/shop-AbCdEf`;
let policies: Readonly<Record<string, readonly Statement[]>>;
beforeAll(async () => {
  const { template } = await readPackagedService();
  policies = readPolicies(template, { region, account });
}, 120_000);

const mayTag = (action: string, ...keys: readonly string[]) =>
  functionNames.filter((name) =>
    isAllowed(policies[name] ?? [], { action, resource, conditions: { 'aws:TagKeys': keys } }),
  );

it.each([
  [
    'TagResource',
    ['issue', 'deploy', 'register', 'discover', 'import', 'revoke', 'pause', 'probe'],
    ['issue', 'revoke'],
  ],
  ['CreateSecret', ['issue', 'register', 'discover', 'import', 'revoke', 'pause'], ['issue', 'revoke']],
])('Y10 %s: tags are written by %j, those that let an agent read by %j alone', (name, all, signing) => {
  const action = `secretsmanager:${name}`;
  const sorted = (names: readonly string[]) => functionNames.filter((one) => names.includes(one));
  expect(mayTag(action, 'certrelay:deployed', 'certrelay:domains.1')).toEqual(sorted(all));
  for (const key of ['certrelay:agent/edge', 'certrelay:Agent/edge', 'certrelay:agent-report/edge']) {
    expect(mayTag(action, key), key).toEqual(sorted(signing));
    expect(mayTag(action, 'certrelay:deployed', key), `${key} beside another`).toEqual(sorted(signing));
  }
});

it('an agent reads by its tag in whatever case the key is written, so no other case of it may be written either', async () => {
  const agent = await readAgentRole('edge');
  const reads = (key: string) =>
    isAllowed(agent, {
      action: 'secretsmanager:GetSecretValue',
      resource,
      conditions: { [`aws:ResourceTag/${key}`]: ['x'] },
    });
  expect(['certrelay:agent/edge', 'CertRelay:AGENT/edge', 'certrelay:agent/depot'].map(reads)).toEqual([
    true,
    true,
    false,
  ]);
});
