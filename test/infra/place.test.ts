// Where a deploy goes: an installation that exists keeps its region and prefix, a new one is asked for its
// region, and where nobody can look, nothing is guessed.
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { expect, it, test } from 'vitest';
import { findRegion, prepareDeploy } from '../../infra/deploy/before-deploy.ts';
import {
  type DeployedInstallation,
  findInstallation,
  readInstallation,
} from '../../infra/deploy/deployed-stack.ts';
import { decidePlace, type PlaceRequest } from '../../infra/deploy/place.ts';
import { top } from '../docs/markdown.ts';
import { providerOf, startCloudFormation, templateWith } from './cloudformation.ts';

const there = (prefix?: string, eventBus = ''): DeployedInstallation => ({ kind: 'there', prefix, eventBus });
const absent: DeployedInstallation = { kind: 'absent' };
const unknown: DeployedInstallation = { kind: 'unknown', problem: 'AccessDenied: no' };

/** Words of a refusal, or the place; and the regions that were looked into. */
async function decide(
  said: Partial<PlaceRequest>,
  regions: Readonly<Record<string, DeployedInstallation>>,
): Promise<{ readonly place: unknown; readonly looked: readonly string[] }> {
  const looked: string[] = [];
  const stage = said.stage ?? 'prod';
  const request = { stack: `certrelay-${stage}`, stage, isMove: false, ...said };
  const place = await decidePlace(request, async (region) => {
    looked.push(region);
    return regions[region] ?? absent;
  });
  return { place: 'refusal' in place ? place.refusal : place, looked };
}

test.for([
  // Installations that exist.
  [
    'found where every deploy went until now',
    {},
    { 'eu-central-1': there('certrelay') },
    { region: 'eu-central-1', prefix: 'certrelay' },
  ],
  [
    'found in the region that was said',
    { region: 'eu-west-1' },
    { 'eu-west-1': there('certrelay') },
    { region: 'eu-west-1', prefix: 'certrelay' },
  ],
  [
    'with a prefix of its own, which nobody says again',
    {},
    { 'eu-central-1': there('lab/tls') },
    { region: 'eu-central-1', prefix: 'lab/tls' },
  ],
  [
    'with the same prefix said',
    { prefix: 'lab' },
    { 'eu-central-1': there('lab') },
    { region: 'eu-central-1', prefix: 'lab' },
  ],
  [
    'whose other prefix is meant',
    { prefix: 'new', isMove: true },
    { 'eu-central-1': there('lab') },
    { region: 'eu-central-1', prefix: 'new' },
  ],
  [
    'beside one in the former region',
    { region: 'eu-west-1' },
    { 'eu-west-1': there('a'), 'eu-central-1': there('b') },
    { region: 'eu-west-1', prefix: 'a' },
  ],
  [
    'that moves to another region',
    { region: 'eu-west-1', isMove: true },
    { 'eu-central-1': there('certrelay') },
    { region: 'eu-west-1', prefix: 'certrelay' },
  ],
  [
    'whose template does not say the prefix, but somebody does',
    { prefix: 'lab' },
    { 'eu-central-1': there() },
    { region: 'eu-central-1', prefix: 'lab' },
  ],
  // New ones.
  [
    'new under the default stage',
    { stage: 'dev', region: 'eu-west-1' },
    {},
    { region: 'eu-west-1', prefix: 'certrelay' },
  ],
  ['new under another stage', { region: 'eu-west-1' }, {}, { region: 'eu-west-1', prefix: 'certrelay-prod' }],
  [
    'new in the former region, as said',
    { region: 'eu-central-1' },
    {},
    { region: 'eu-central-1', prefix: 'certrelay-prod' },
  ],
  [
    'new with a prefix that was said',
    { region: 'eu-west-1', prefix: 'lab' },
    {},
    { region: 'eu-west-1', prefix: 'lab' },
  ],
  [
    'new where credentials of eu-central-1 are worth nothing',
    { region: 'cn-north-1' },
    { 'eu-central-1': unknown },
    { region: 'cn-north-1', prefix: 'certrelay-prod' },
  ],
] as const)('a place: %s', async ([title, said, regions, place]) => {
  const eventBus = title.startsWith('new ') ? 'default' : '';
  expect((await decide(said, regions)).place).toEqual({ ...place, eventBus });
});

test('an installation keeps its event bus, also in another region', async () => {
  const deployed = there('certrelay', 'deliveries');
  const kept = { eventBus: 'deliveries' };
  expect((await decide({}, { 'eu-central-1': deployed })).place).toMatchObject(kept);
  const moved = { region: 'eu-west-1', isMove: true };
  expect((await decide(moved, { 'eu-central-1': deployed })).place).toMatchObject(kept);
});

test('an installation keeps where its alarms go, but no topic of another region', async () => {
  const alarmTopic = 'arn:aws:sns:eu-central-1:123456789012:alarms';
  const deployed = {
    kind: 'there',
    prefix: 'certrelay',
    eventBus: '',
    alarmEmail: 'ops@example.com',
  } as const;
  expect((await decide({}, { 'eu-central-1': deployed })).place).toMatchObject({
    alarmEmail: 'ops@example.com',
  });
  const own = { kind: 'there', prefix: 'certrelay', eventBus: '', alarmTopic } as const;
  expect((await decide({}, { 'eu-central-1': own })).place).toMatchObject({ alarmTopic });
  const moved = { region: 'eu-west-1', isMove: true };
  expect((await decide(moved, { 'eu-central-1': own })).place).toMatchObject({ alarmTopic: undefined });
});

test('what is deployed says where alarms go, and none is no address', () => {
  const template = JSON.parse(templateWith('lab'));
  const Parameters = { AlarmEmail: { Default: 'ops@example.com' }, AlarmTopic: { Default: '' } };
  expect(readInstallation(JSON.stringify({ ...template, Parameters }))).toEqual({
    ...there('lab'),
    alarmEmail: 'ops@example.com',
  });
});

test('a deploy that says no address has the one that is deployed', async () => {
  const template = JSON.parse(templateWith('certrelay'));
  const Parameters = { EventBus: { Default: 'own' }, AlarmEmail: { Default: 'ops@example.com' } };
  const aws = await startCloudFormation({ template: JSON.stringify({ ...template, Parameters }) });
  const provider = providerOf(aws, 'dev');
  const prepare = (...param: readonly string[]) =>
    prepareDeploy(
      {
        command: 'package',
        serviceDir: top,
        configurationFile: 'serverless.yml',
        params: {},
        configuredRegion: 'eu-central-1',
        options: { param },
        env: {},
      },
      provider,
    );
  const kept = { eventBus: 'own', alarmEmail: 'ops@example.com' };
  expect(await prepare()).toMatchObject({ prefix: 'certrelay', kept });
  expect(await prepare('alarmEmail=none', 'eventBus=none')).toMatchObject({ kept: {} });
  expect(await prepare('alarmEmail=none')).toEqual(expect.objectContaining({ kept: { eventBus: 'own' } }));
});

test.for([
  ['new without a region', {}, {}, /new installation[\s\S]*--stage prod --region <region>/],
  [
    'another prefix than the deployed one',
    { prefix: 'new' },
    { 'eu-central-1': there('lab') },
    /under "lab", and this deploy says prefix "new"[\s\S]*moved=yes/,
  ],
  [
    'another region than the deployed one',
    { region: 'eu-west-1' },
    { 'eu-central-1': there('lab') },
    /deployed in eu-central-1[\s\S]*goes to eu-west-1[\s\S]*moved=yes/,
  ],
  [
    'a template without a prefix',
    {},
    { 'eu-central-1': there() },
    /cannot be read from its template; say it/,
  ],
  [
    'no look, and nothing said',
    {},
    { 'eu-central-1': unknown },
    /cannot be looked at \(AccessDenied: no\)[\s\S]*Say both/,
  ],
  ['no look, and the region alone', { region: 'eu-west-1' }, { 'eu-west-1': unknown }, /Say both/],
  ['no look, and the prefix alone', { prefix: 'lab' }, { 'eu-central-1': unknown }, /Say both/],
  [
    'no look into the former region',
    { region: 'eu-west-1' },
    { 'eu-central-1': unknown },
    /whether it is in eu-central-1[\s\S]*Say both/,
  ],
] as const)('refused, with what to do: %s', async ([, said, regions, words]) => {
  expect((await decide(said, regions)).place).toMatch(words);
});

it('goes on without a look where both are said, and says that it could not look', async () => {
  const { place } = await decide({ region: 'eu-west-1', prefix: 'lab' }, { 'eu-west-1': unknown });
  expect(place).toEqual({
    region: 'eu-west-1',
    prefix: 'lab',
    eventBus: '',
    note: expect.stringMatching(
      /could not be looked at \(AccessDenied: no\).*alarmEmail or alarmTopic, .* again/,
    ),
  });
});

it('looks no further than it must', async () => {
  const found = await decide({ region: 'eu-west-1' }, { 'eu-west-1': there('a') });
  expect(found.looked).toEqual(['eu-west-1']);
  const fresh = await decide({ region: 'eu-west-1' }, {});
  expect(fresh.looked).toEqual(['eu-west-1', 'eu-central-1']);
});

const shipped = `\${opt:region, env:AWS_REGION, env:AWS_DEFAULT_REGION, 'eu-central-1'}`;
test.for([
  [{}, {}, shipped, undefined],
  [{ region: 'eu-west-1' }, { AWS_REGION: 'us-east-1' }, shipped, 'eu-west-1'],
  [{}, { AWS_REGION: 'us-east-1', AWS_DEFAULT_REGION: 'us-west-2' }, shipped, 'us-east-1'],
  [{}, { AWS_DEFAULT_REGION: 'us-west-2' }, shipped, 'us-west-2'],
  [{}, { AWS_REGION: '' }, shipped, undefined],
  [{}, {}, 'eu-west-3', 'eu-west-3'],
  [{}, {}, `\${opt:region, 'eu-west-3'}`, 'eu-west-3'],
  [{}, {}, `\${env:OWN_REGION}`, undefined],
] as const)('the region that was said: options %j, environment %j, serverless.yml %s', ([
  options,
  env,
  configuredRegion,
  region,
]) => {
  expect(findRegion({ options, env, configuredRegion })).toBe(region);
});

test.for([
  ['an installation', 200, templateWith('lab/tls'), there('lab/tls')],
  ['what a failed first deploy left', 200, '{"Resources":{"Bucket":{"Type":"AWS::S3::Bucket"}}}', absent],
  ['a stack that is only reviewed', 200, '', absent],
  ['another tool’s template', 200, 'Resources: {}', { kind: 'unknown', problem: 'its template is not JSON' }],
  ['a function without a prefix', 200, templateWith(''), there()],
] as const)('what a region has, by its stack’s template: %s', async ([, status, body, found]) => {
  const aws = await startCloudFormation({ template: body, status });
  const client = new CloudFormationClient({
    endpoint: aws.endpoint,
    region: 'eu-west-1',
    credentials: aws.credentials,
    maxAttempts: 1,
  });
  expect(await findInstallation(client, 'certrelay-prod')).toEqual(found);
  expect(aws.asked).toEqual(['GetTemplate certrelay-prod']);
});

it('an error of AWS is one line, whatever it says', async () => {
  const aws = await startCloudFormation({
    status: 403,
    code: 'AccessDenied',
    message: 'User \u001b[31mx\n\ny is not authorized',
  });
  const client = new CloudFormationClient({
    endpoint: aws.endpoint,
    region: 'eu-west-1',
    credentials: aws.credentials,
    maxAttempts: 1,
  });
  expect(await findInstallation(client, 'certrelay-prod')).toEqual({
    kind: 'unknown',
    problem: 'AccessDenied: User  [31mx y is not authorized',
  });
});

test.for([
  [
    'what a first deploy lacks',
    { param: [] },
    {},
    [/^1\. no stack certrelay-prod .*new installation/, /^2\. the inventory .*agreeToTerms/],
    'npx serverless deploy --stage prod --region <region>',
  ],
  [
    'a mistyped parameter, a mail address that is none, and the terms, where the region is known',
    { param: ['alarmMail=me', 'alarmEmail=me'], region: 'eu-west-1' },
    {},
    [/^1\. "alarmMail".*did you mean/, /^2\. alarmEmail .*mail address/, /^3\. the inventory .*agreeToTerms/],
    'npx serverless deploy --stage prod --region eu-west-1',
  ],
] as const)('says all of it at once, and one command: %s', async ([, options, env, lines, command]) => {
  const aws = await startCloudFormation({});
  const provider = providerOf(aws, 'prod');
  const prepared = await prepareDeploy(
    {
      command: 'package',
      serviceDir: top,
      configurationFile: 'serverless.yml',
      params: {},
      configuredRegion: 'eu-central-1',
      options,
      env,
    },
    provider,
  );
  const refusal = 'refusal' in prepared ? prepared.refusal : '';
  const found = refusal.split(/\n(?=\d\. |Once)/);
  expect(found).toHaveLength(lines.length + 1);
  for (const [index, words] of lines.entries()) expect(found[index]?.replaceAll('\n', ' ')).toMatch(words);
  expect(found.at(-1)).toBe(`Once all of that is so, with the parameters of this one:\n  ${command}`);
});
