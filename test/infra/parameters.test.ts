// The parameters of a deploy: unknown ones are refused by name, and each value is looked at before anything
// is built.
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import * as z from 'zod';
import {
  checks,
  collectParameters,
  findParameterProblems,
  readKnownParameters,
} from '../../infra/deploy/parameters.ts';
import { findNearest } from '../../lib/policy/nearest.ts';
import { startCloudFormation, templateWith } from './cloudformation.ts';
import { makeService, newPlace, readPackagedTemplate, runServerless } from './packaged.ts';

const root = join(import.meta.dirname, '../..');
const known = readKnownParameters(root, 'serverless.yml');
const { params } = z
  .object({ params: z.record(z.string(), z.record(z.string(), z.unknown())) })
  .parse(parse((await readFile(join(root, 'serverless.yml'), 'utf8')).replaceAll(/!\w+/g, '')));

const problemsOf = (...options: readonly string[]) =>
  findParameterProblems(collectParameters({}, 'dev', options), known);

describe('parameters', () => {
  it('are those that serverless.yml and its parts read; each has a check, and each default passes it', () => {
    expect([...known]).toEqual(expect.arrayContaining(['prefix', 'discoverRate', 'webhookSecret', 'moved']));
    expect([...known].filter((name) => !Object.hasOwn(checks, name))).toEqual([]);
    expect(Object.keys(params.default ?? {}).length).toBeGreaterThan(10);
    expect(findParameterProblems(collectParameters(params, 'dev', []), known)).toEqual([]);
  });

  test.for([
    ['isueRate=rate(6 hours)', '"isueRate" (--param) is not a parameter; did you mean issueRate?'],
    ['alarmtopic=x', '"alarmtopic" (--param) is not a parameter; did you mean alarmTopic?'],
    ['prefx=a', '"prefx" (--param) is not a parameter; did you mean prefix?'],
    ['issueRate=rate(4 minutes)', 'issueRate (--param): "rate(4 minutes)" must not be shorter'],
    ['probeRate=hourly', 'probeRate (--param): "hourly" must be like rate(6 hours)'],
    ['prefix=/a', 'prefix (--param): "/a" must be the start of AWS secret names'],
    ['prefix=a/', 'prefix (--param): "a/" must be the start of AWS secret names'],
    ['maximumConcurrency=1', 'must be a whole number from 2 to 1000'],
    ['maximumConcurrency=1001', 'must be a whole number from 2 to 1000'],
    ['staleAfterMinutes=1h', 'must be a whole number'],
    ['logRetentionDays=31', 'must be one of 1, 3, 5, 7, 14, 30'],
    ['logLevel=trace', 'must be one of debug, info, warn, error'],
    ['webhookSecret=mine', 'must be one of made, kept'],
    ['lastingRecords=yes', 'must be one of auto, used, kept'],
    ['acmImports=all', 'must be one of new, tagged'],
    ['accessLog=off', 'must be one of kept, none'],
    ['moved=true', 'must be one of yes, no'],
    ['hostedZones=Z1,example.com', 'has "example.com", which is no id of a hosted zone'],
    ['alarmTopic=alarms', 'must be the ARN of an SNS topic'],
    ['eventBus=a b', 'must be the name of an EventBridge bus'],
    ['reservedConcurrency=-1', 'must be a whole number'],
    ['prefix=a\u001b[31mb', 'prefix (--param): "a [31mb" must be one line without control characters'],
  ] as const)('%s is refused', ([option, words]) => {
    const problems = problemsOf(option);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(words);
  });

  test.for([
    'maximumConcurrency=2',
    'maximumConcurrency=1000',
    'logRetentionDays=3653',
    'hostedZones=Z1AAAA, Z2BBBB',
    'discoverRate=rate(1 day)',
    'prefix=lab/certrelay',
    'alarmTopic=arn:aws-cn:sns:cn-north-1:123456789012:alarms',
    'reservedConcurrency=0',
    `issueRate=\${env:OWN_RATE}`,
  ])('%s is taken', (option) => {
    expect(problemsOf(option)).toEqual([]);
  });

  it('of serverless.yml are looked at too: those of the stage and the defaults, and no other stage’s', () => {
    const own = { default: { isueRate: 'x' }, prod: { logLevel: ['info'] }, lab: { whatever: 1 } };
    const problems = findParameterProblems(collectParameters(own, 'prod', []), known);
    expect(problems).toEqual([
      'logLevel (params.prod): a list or mapping must be one text or number',
      expect.stringContaining('"isueRate" (params.default) is not a parameter'),
    ]);
  });

  it('that resemble none are answered with the list, and an endless name costs nothing', () => {
    expect(problemsOf('colour=red')[0]).toMatch(
      /is not a parameter; the parameters are accessLog, acmImports, /,
    );
    expect(problemsOf(`${'x'.repeat(100_000)}=1`)[0]?.length).toBeLessThan(1000);
    expect(findNearest('shop', [])).toBeUndefined();
  });
});

describe('a deploy', () => {
  /** Runs osls in a new folder, and tells what it printed and whether anything was built. */
  async function run(
    args: readonly string[],
    environment: Readonly<Record<string, string>> = {},
    inventory?: string,
  ) {
    const folder = await makeService('empty', inventory);
    try {
      const printed = await runServerless(args, folder, environment).catch((error: unknown) => String(error));
      const isBuilt = await stat(join(folder, 'dist')).then(
        () => true,
        () => false,
      );
      return { printed, isBuilt, template: await readPackagedTemplate(join(folder, '.serverless')) };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }

  it('with unknown or wrong parameters ends before it builds, with a line for each', async () => {
    const aws = await startCloudFormation({});
    const args = ['deploy', '--region=eu-west-1', '--param=isueRate=rate(6 hours)', '--param=logLevel=loud'];
    const { printed, isBuilt } = await run(args, aws.environment);
    expect(printed).toContain('"isueRate" (--param) is not a parameter; did you mean issueRate?');
    expect(printed).toContain('logLevel (--param): "loud" must be one of debug, info, warn, error');
    expect(printed).not.toMatch(/\n +at /);
    // What else is missing is said with them, for which AWS is only read.
    expect(aws.asked.filter((call) => !/^(GetCallerIdentity|GetTemplate)/.test(call))).toEqual([]);
    expect(isBuilt).toBe(false);
  });

  it('with credentials that AWS does not know ends before it builds, with what to do', async () => {
    const aws = await startCloudFormation({ isKnown: false });
    const { printed, isBuilt } = await run(['deploy', '--region=eu-west-1'], aws.environment);
    expect(printed).toContain('AWS does not accept your credentials; sign in first');
    expect([aws.asked, isBuilt]).toEqual([['GetCallerIdentity'], false]);
    const none = await run(['deploy', '--region=eu-west-1']);
    expect(none.printed).toContain('no AWS credentials were found; sign in first');
    expect(none.isBuilt).toBe(false);
  });

  it('is not packaged without credentials unless both region and prefix are said', async () => {
    const { printed, isBuilt } = await run(['package', '--region=eu-west-1']);
    expect(printed).toMatch(/cannot be looked at \(AWS provider credentials not found[\s\S]*Say both/);
    expect(isBuilt).toBe(false);
  });

  it('of the inventory as it is shipped says what to set, without a trace of code, and builds nothing', async () => {
    const shipped = await readFile(join(root, 'infra', 'certificates.yaml'), 'utf8');
    const { printed, isBuilt } = await run(['package', ...newPlace], {}, shipped);
    expect(printed).toContain('issuers.default.agreeToTerms: is missing; write true after you have read');
    expect(printed).not.toMatch(/\n +at /);
    expect(isBuilt).toBe(false);
    const foreign = shipped
      .replace('# agreeToTerms: true', 'agreeToTerms: true')
      .replace('"{prefix}/', '"lab/');
    const refused = await run(['package', ...newPlace], {}, foreign);
    expect(refused.printed).toContain(
      'write "{prefix}/clusters/lab", and keep the AWS secret as certrelay/clusters/lab',
    );
    expect(refused.isBuilt).toBe(false);
  });

  it('remembers in the template what --param alone says, keeps it, and forgets it', async () => {
    const first = await run(['package', ...newPlace, '--param=logLevel=debug', '--param=acmImports=tagged']);
    expect(first.template).toContain('"LOG_LEVEL": "debug"');
    const old = await startCloudFormation({ template: first.template });
    const again = ['package', '--region=eu-west-1'];
    const [kept, ended] = await Promise.all([
      run(again, old.environment),
      run([...again, '--param=forget=logLevel'], old.environment),
    ]);
    expect(kept.printed).toContain('logLevel=debug, acmImports=tagged');
    expect(kept.template).toContain('"LOG_LEVEL": "debug"');
    expect(ended.template).toContain('"LOG_LEVEL": "info"');
    expect(ended.template).not.toContain('"debug"');
    expect(ended.template).toContain('"tagged"');
  });

  it('keeps the prefix and the alarms’ address that the deployed stack has, and gives a new stage its own', async () => {
    const Parameters = { AlarmEmail: { Type: 'String', Default: 'ops@example.com' } };
    const deployed = { ...JSON.parse(templateWith('certrelay')), Parameters };
    const old = await startCloudFormation({ template: JSON.stringify(deployed) });
    const none = await startCloudFormation({});
    const [kept, fresh] = await Promise.all([
      run(['package', '--stage=prod'], old.environment),
      run(['package', '--stage=prod', '--region=eu-west-1'], none.environment),
    ]);
    expect(kept.template).toContain('"CERTRELAY_PREFIX": "certrelay"');
    expect(kept.template).toContain('secret:certrelay/certificates/*');
    expect(kept.template).toContain('"Default": "ops@example.com"');
    expect(fresh.template).not.toContain('ops@example.com');
    expect(fresh.template).toContain('"CERTRELAY_PREFIX": "certrelay-prod"');
    expect(fresh.template).toContain('secret:certrelay-prod/certificates/*');
  });
}, 120_000);
