// Functions that serverless.yml puts into a VPC may join it, and the others get no rights for it.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { allowVpc } from '../../infra/template/vpc.ts';
import { makeService, newPlace, readPackagedTemplate, runServerless } from './packaged.ts';

const vpc = { securityGroupIds: ['sg-1'], subnetIds: ['subnet-1'] };
const roleWith = (...Policies: object[]) => ({ Type: 'AWS::IAM::Role', Properties: { Policies } });
const policiesOf = (role: { Properties: { Policies: readonly object[] } }) =>
  JSON.stringify(role.Properties.Policies);

it('lets Lambda, and not the code, connect the functions in a VPC alone', () => {
  const resources = { A: roleWith(), B: roleWith() };
  allowVpc(resources, { functions: { a: { role: 'A', vpc }, b: { role: 'B' } }, provider: {} });
  expect(resources.B).toEqual(roleWith());
  expect(policiesOf(resources.A)).toContain('"Effect":"Allow","Action":["ec2:CreateNetworkInterface"');
  expect(policiesOf(resources.A)).toContain('"Effect":"Deny"');
});

it('lets each function join once, if all are in one', () => {
  const resources = { A: roleWith() };
  allowVpc(resources, { functions: { a: { role: 'A' }, again: { role: 'A' } }, provider: { vpc } });
  expect(policiesOf(resources.A).match(/JoinVpc/g)).toHaveLength(1);
});

it('is in the template that is packaged', async () => {
  const folder = await makeService();
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'serverless.yml');
  const text = await readFile(file, 'utf8');
  await writeFile(file, text.replace('\n  deploy:\n', `\n  deploy:\n    vpc: ${JSON.stringify(vpc)}\n`));
  await runServerless(['package', '--package', 'packaged', ...newPlace], folder);
  const { Resources } = JSON.parse(await readPackagedTemplate(join(folder, 'packaged')));
  expect(Resources.DeployLambdaFunction.Properties.VpcConfig.SubnetIds).toEqual(['subnet-1']);
  expect(policiesOf(Resources.DeployRole)).toContain('JoinVpc');
  expect(policiesOf(Resources.IssueRole)).not.toContain('JoinVpc');
}, 240_000);
