// What `serverless package` makes of serverless.yml and infra/*.yml, seen from what must not go wrong in an
// account.
import { beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { mostReceives } from '../../functions/runtime/batch.ts';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { eventTypes } from '../../lib/policy/events/announcement.ts';
import { readCallEvent } from '../../lib/requests/event.ts';
import { functionNames } from '../function-names.ts';
import { type AccessRequest, isAllowed, type Statement } from '../sandbox/iam/evaluation.ts';
import {
  eksRole,
  emptyInventory,
  type Packaged,
  packageService,
  readPackagedService,
  type Template,
  wideInventory,
  zoneRole,
} from './packaged.ts';
import { readPolicies } from './policies.ts';
import { readUnpackaged } from './unpackaged.ts';

const account = {
  region: 'eu-central-1',
  account: '123456789012',
  arns: {
    IssueQueue: 'arn:aws:sqs:eu-central-1:123456789012:issue',
    DeployQueue: 'arn:aws:sqs:eu-central-1:123456789012:deploy',
  },
};
const parameters = {
  issueRate: 'rate(5 minutes)',
  prefix: 'lab/certrelay',
  reservedConcurrency: '5',
  webhookSecret: 'kept',
  maximumConcurrency: '8',
  discoverRate: 'rate(1 day)',
  eventBus: 'deliveries',
  hostedZones: 'Z1AAAA, Z2BBBB',
  acmImports: 'tagged',
  lastingRecords: 'kept',
  accessLog: 'none',
  alarmTopic: 'arn:aws:sns:eu-central-1:123456789012:alarms',
};
let packaged: Packaged;
let policies: Readonly<Record<string, readonly Statement[]>>;
let tailored: Packaged;
let refusal: unknown;
beforeAll(async () => {
  // At the same time: each spends most of it waiting.
  const refused = packageService({ issueRate: 'rate(4 minutes)', deployRate: 'cron(* * * * ? *)' });
  [packaged, tailored, refusal] = await Promise.all([
    readPackagedService(),
    packageService(parameters, wideInventory),
    refused.catch((error: unknown) => error),
  ]);
  policies = readPolicies(packaged.template, account);
}, 120_000);

function inventoryOf(text: string): Inventory {
  const parsed = parseInventory(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory;
}

const find = (type: string) =>
  Object.values(packaged.template.Resources).filter((resource) => resource.Type === type);
const properties = (logicalId: string) => packaged.template.Resources[logicalId]?.Properties;
const secret = (name: string) => `arn:aws:secretsmanager:eu-central-1:123456789012:secret:${name}`;

const eksArn = (name: string) => `arn:aws:eks:eu-central-1:123456789012:cluster/${name}`;

describe('packaging', () => {
  it('puts into each archive its own bundle and the inventory, and nothing else', () => {
    for (const name of functionNames) {
      expect(packaged.archives[name]).toEqual(
        ['certificates.json', 'index.js', 'package.json'].map((file) => `dist/${name}/${file}`),
      );
    }
  });

  it('K16 refuses a schedule that is shorter than five minutes or not a rate', () => {
    const printed = refusal instanceof Error ? refusal.message : '';
    expect(printed).toContain(
      'issueRate (--param): "rate(4 minutes)" must not be shorter than rate(5 minutes)',
    );
    expect(printed).toContain('deployRate (--param): "cron(* * * * ? *)" must be like rate(6 hours)');
  });

  it('P13 Y08 spreads installations over a quarter of an hour, and tries a pass three times before the next is due', () => {
    for (const schedule of ['IssueSchedule', 'DeploySchedule', 'ProbeSchedule', 'StatusSchedule']) {
      const spread = { Mode: 'FLEXIBLE', MaximumWindowInMinutes: 15 };
      expect(properties(schedule)).toMatchObject({
        FlexibleTimeWindow: schedule === 'StatusSchedule' ? { Mode: 'OFF' } : spread,
        Target: { RetryPolicy: { MaximumRetryAttempts: 2, MaximumEventAgeInSeconds: 3600 } },
      });
    }
  });

  it('tells every function how often each schedule calls, and nothing where there is no schedule', () => {
    const every = properties('DeployLambdaFunction')?.Environment;
    expect(every).toMatchObject({
      Variables: {
        CERTRELAY_ISSUE_INTERVAL_MINUTES: '360',
        CERTRELAY_DEPLOY_INTERVAL_MINUTES: '60',
        CERTRELAY_PROBE_INTERVAL_MINUTES: '30',
        CERTRELAY_STATUS_INTERVAL_MINUTES: '15',
        CERTRELAY_DISCOVER_INTERVAL_MINUTES: { 'Fn::If': ['RunsDiscover', '60', ''] },
      },
    });
    expect(tailored.template.Resources.IssueLambdaFunction?.Properties.Environment).toMatchObject({
      Variables: {
        CERTRELAY_ISSUE_INTERVAL_MINUTES: '5',
        CERTRELAY_DISCOVER_INTERVAL_MINUTES: { 'Fn::If': ['RunsDiscover', '1440', ''] },
      },
    });
  });

  it('tells every function its stage, for the commands in its messages', () => {
    expect(properties('DeployLambdaFunction')?.Environment).toMatchObject({
      Variables: { CERTRELAY_STAGE: 'dev' },
    });
  });

  it('takes rates, a prefix, an alarm topic and a reserved concurrency as parameters', () => {
    const { Resources } = tailored.template;
    expect(Resources.IssueSchedule?.Properties).toMatchObject({ ScheduleExpression: 'rate(5 minutes)' });
    expect(Resources.IssueLambdaFunction?.Properties).toMatchObject({ ReservedConcurrentExecutions: 5 });
    expect(tailored.template.Parameters.AlarmTopic?.Default).toMatch(/:alarms$/);
    expect(JSON.stringify(tailored.template)).not.toMatch(
      /[":]certrelay\/(certificates|accounts|clusters|webhook)/,
    );
  });
});

describe('functions', () => {
  it('run on nodejs24.x on arm64, with no reserved concurrency unless asked for', () => {
    const functions = find('AWS::Lambda::Function');
    expect(functions).toHaveLength(functionNames.length);
    for (const { Properties } of functions) {
      expect(Properties).toMatchObject({ Runtime: 'nodejs24.x', Architectures: ['arm64'] });
      expect(Properties).not.toHaveProperty('ReservedConcurrentExecutions');
    }
  });

  it.each([
    ['IssueLambdaFunction', 900],
    ['DeployLambdaFunction', 900],
    ['RegisterLambdaFunction', 15],
    ['RevokeLambdaFunction', 900],
    ['ProbeLambdaFunction', 900],
    ['ImportLambdaFunction', 30],
  ])('%s may take %i s', (logicalId, Timeout) => {
    expect(properties(logicalId)).toMatchObject({ Timeout });
  });

  it('keep their logs for thirty days', () => {
    const groups = find('AWS::Logs::LogGroup').map(({ Properties }) => Properties.RetentionInDays);
    expect(groups).toEqual([...functionNames, 'the HTTP API'].map(() => 30));
  });

  it('register is told every method, so that it can answer 405', () => {
    expect(find('AWS::ApiGatewayV2::Route').map(({ Properties }) => Properties.RouteKey)).toEqual([
      'ANY /domains',
      'ANY /domains/{name}',
    ]);
  });

  it('logs who called the HTTP API and what was answered, as long as the functions log, and neither headers nor bodies', () => {
    const settings = z
      .object({ AccessLogSettings: z.object({ DestinationArn: z.unknown(), Format: z.string() }) })
      .parse(properties('HttpApiStage')).AccessLogSettings;
    expect(settings.DestinationArn).toEqual({ 'Fn::GetAtt': ['HttpApiLogGroup', 'Arn'] });
    const format = z.record(z.string(), z.string()).parse(JSON.parse(settings.Format));
    expect(format).toMatchObject({ ip: '$context.identity.sourceIp', status: '$context.status' });
    expect(Object.values(format).join()).not.toMatch(/header|body|authorizer/i);
    expect(properties('HttpApiLogGroup')).toMatchObject({ RetentionInDays: 30 });
    // Where an account cannot set up log delivery.
    expect(JSON.stringify(tailored.template.Resources)).not.toMatch(/AccessLogSettings|HttpApiLogGroup/);
  });

  it('Y07 register is protected from floods by a limit on requests a second', () => {
    expect(properties('HttpApiStage')).toMatchObject({
      DefaultRouteSettings: { ThrottlingRateLimit: 10, ThrottlingBurstLimit: 20 },
    });
  });
});

describe('the webhook secret', () => {
  it('is made by the deploy of letters and digits, which are base64 of 24 bytes, and stays for good', () => {
    expect(packaged.template.Resources.WebhookSecret).toMatchObject({
      Type: 'AWS::SecretsManager::Secret',
      Condition: 'MakesWebhookSecret',
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        Name: 'certrelay/webhook',
        GenerateSecretString: { ExcludePunctuation: true, PasswordLength: 32 },
      },
    });
  });

  it('is found by its default name: no function is told another', () => {
    const environments = find('AWS::Lambda::Function').map(({ Properties }) => Properties.Environment);
    expect(JSON.stringify(environments)).not.toContain('CERTRELAY_WEBHOOK_SECRET');
  });

  it('is left as it is where the parameter says so', () => {
    const origins = [packaged, tailored].map(
      ({ template }) => template.Parameters.WebhookSecretOrigin?.Default,
    );
    expect(origins).toEqual(['made', 'kept']);
  });
});

describe('schedules', () => {
  it('call every function so that only what `status` does not tell is an error', () => {
    const inputs = find('AWS::Scheduler::Schedule').map(({ Properties }) => Object(Properties.Target).Input);
    expect(inputs).toHaveLength(5);
    for (const input of inputs)
      expect(readCallEvent(JSON.parse(input))).toEqual({ event: {}, ending: 'schedule' });
  });

  it('run their functions for everything at a moment of their own', () => {
    for (const [schedule, target, ScheduleExpression] of [
      ['IssueSchedule', 'IssueLambdaFunction', 'rate(6 hours)'],
      ['DeploySchedule', 'DeployLambdaFunction', 'rate(1 hour)'],
      ['ProbeSchedule', 'ProbeLambdaFunction', 'rate(30 minutes)'],
    ] as const) {
      expect(properties(schedule)).toMatchObject({
        ScheduleExpression,
        FlexibleTimeWindow: { Mode: 'FLEXIBLE' },
        Target: { Arn: { 'Fn::GetAtt': [target, 'Arn'] } },
      });
    }
  });
});

it('K24 discover runs by schedule only where a rate is given', () => {
  const seen = [packaged, tailored].map(({ template }) => ({
    condition: template.Resources.DiscoverSchedule?.Condition,
    rate: template.Parameters.DiscoverRate?.Default,
  }));
  const condition = 'RunsDiscover';
  expect(seen).toEqual([
    { condition, rate: '' },
    { condition, rate: 'rate(1 day)' },
  ]);
});

it('each function may put its own events on the bus that the parameter names, and none where it names none', () => {
  const request = (source: string | undefined, type?: string, bus = 'deliveries'): AccessRequest => ({
    action: 'events:PutEvents',
    resource: `arn:aws:events:eu-central-1:123456789012:event-bus/${bus}`,
    conditions: {
      ...(source === undefined ? {} : { 'events:source': [source] }),
      ...(type === undefined ? {} : { 'events:detail-type': [type] }),
    },
  });
  const [without, given] = [packaged, tailored].map(({ template }) => readPolicies(template, account));
  const may = (policies: typeof without, ...asked: Parameters<typeof request>) =>
    functionNames.filter((name) => isAllowed(policies?.[name] ?? [], request(...asked)));
  const tellers = {
    'Certificate Registered': ['register', 'discover', 'issue'],
    'Certificate Issued': ['issue', 'revoke'],
    'Certificate Delivered': ['deploy'],
    'Certificate Revoked': ['revoke', 'issue'],
    'Certificate Retired': ['issue'],
    'Certificate Health Changed': ['status'],
    'Health Changed': ['status'],
  };
  expect(Object.keys(tellers)).toEqual(eventTypes);
  for (const [type, names] of Object.entries(tellers)) {
    expect(may(given, 'certrelay', type).toSorted(), type).toEqual(names.toSorted());
    expect(may(given, 'aws.health', type)).toEqual([]);
    expect(may(given, undefined, type)).toEqual([]);
    expect(may(given, 'certrelay', type, 'default')).toEqual([]);
    expect(may(without, 'certrelay', type)).toEqual([]);
  }
  expect(may(given, 'certrelay', 'Anything Else')).toEqual([]);
  expect(may(given, 'certrelay')).toEqual([]);
});

it('every function knows the bus; none says that there is none', async () => {
  const { template: none } = await packageService({
    eventBus: 'none',
    alarmEmail: 'none',
    alarmTopic: 'none',
  });
  const templates = [packaged.template, tailored.template, none];
  expect(templates.map(({ Parameters }) => Parameters.EventBus?.Default)).toEqual(['', 'deliveries', '']);
  // The same word takes the alarms' topic away.
  const { AlarmEmail, AlarmTopic } = none.Parameters;
  expect([AlarmEmail?.Default, AlarmTopic?.Default]).toEqual(['', '']);
  const Variables = { CERTRELAY_EVENT_BUS: { Ref: 'EventBus' } };
  for (const { Properties } of find('AWS::Lambda::Function'))
    expect(Properties.Environment).toMatchObject({ Variables });
}, 60_000);

describe('queues', () => {
  it.each(['Issue', 'Deploy'])('%s: hidden for six timeouts, then dead, one by one', (name) => {
    expect(properties(`${name}Queue`)).toMatchObject({
      VisibilityTimeout: 6 * 900,
      RedrivePolicy: {
        maxReceiveCount: mostReceives,
        deadLetterTargetArn: { 'Fn::GetAtt': [`${name}DeadLetters`, 'Arn'] },
      },
    });
    expect(properties(`${name}DeadLetters`)).toMatchObject({ MessageRetentionPeriod: 14 * 86_400 });
    expect(properties(`${name}EventSourceMappingSQS${name}Queue`)).toMatchObject({
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: expect.any(Number) },
    });
  });

  it('so many invocations of deploy at once as the parameter says', () => {
    const most = [packaged, tailored].map(
      ({ template }) => template.Resources.DeployEventSourceMappingSQSDeployQueue?.Properties.ScalingConfig,
    );
    expect(most).toEqual([{ MaximumConcurrency: 5 }, { MaximumConcurrency: 8 }]);
  });

  it('deploy is told of new current certificates only, by no other rule than ours', () => {
    expect(properties('CertificateStored')).toMatchObject({
      EventPattern: {
        source: ['aws.secretsmanager'],
        'detail-type': ['Secret Label Updated'],
        detail: { labelUpdated: ['AWSCURRENT'], name: [{ prefix: 'certrelay/certificates/' }] },
      },
    });
    expect(properties('CertificateStoredToQueue')).toMatchObject({
      PolicyDocument: {
        Statement: [
          {
            Principal: { Service: 'events.amazonaws.com' },
            Action: 'sqs:SendMessage',
            Condition: { ArnEquals: { 'aws:SourceArn': { 'Fn::GetAtt': ['CertificateStored', 'Arn'] } } },
          },
        ],
      },
    });
  });
});

describe('roles', () => {
  const change = (
    types: readonly string[] | undefined,
    names: readonly string[] | undefined,
    actions: readonly string[] | undefined,
  ) => ({
    action: 'route53:ChangeResourceRecordSets',
    resource: 'arn:aws:route53:::hostedzone/Z1',
    conditions: {
      ...(types && { 'route53:ChangeResourceRecordSetsRecordTypes': types }),
      ...(names && { 'route53:ChangeResourceRecordSetsNormalizedRecordNames': names }),
      ...(actions && { 'route53:ChangeResourceRecordSetsActions': actions }),
    },
  });
  it('Y10 each function has a role of its own, and no action is a pattern', () => {
    const roles = find('AWS::Lambda::Function').map(({ Properties }) => JSON.stringify(Properties.Role));
    expect(new Set(roles).size).toBe(functionNames.length);
    const actions = Object.values(policies).flatMap((statements) => statements.flatMap((s) => s.actions));
    expect(actions.filter((action) => /[*?]/.test(action))).toEqual([]);
  });

  it('only listing, which has no grain in AWS, is allowed on everything', () => {
    const wide = Object.values(policies)
      .flat()
      .filter(({ resources }) => resources.includes('*'))
      .flatMap(({ actions }) => actions);
    expect([...new Set(wide)].toSorted()).toEqual([
      'acm:ListCertificates',
      'route53:ListHostedZones',
      'secretsmanager:ListSecrets',
    ]);
  });

  it.each<[string, string, string, readonly string[]]>([
    [
      'a certificate',
      'secretsmanager:GetSecretValue',
      secret('certrelay/certificates/shop-AbCdEf'),
      ['issue', 'deploy', 'import', 'export', 'revoke', 'retire'],
    ],
    [
      'the tags of a certificate',
      'secretsmanager:DescribeSecret',
      secret('certrelay/certificates/shop-AbCdEf'),
      [
        'issue',
        'deploy',
        'register',
        'discover',
        'import',
        'revoke',
        'pause',
        'retire',
        'probe',
        'status',
        'dashboard',
      ],
    ],
    [
      'a certificate',
      'secretsmanager:PutSecretValue',
      secret('certrelay/certificates/shop-AbCdEf'),
      ['issue', 'import', 'revoke'],
    ],
    [
      'a certificate',
      'secretsmanager:UpdateSecretVersionStage',
      secret('certrelay/certificates/shop-AbCdEf'),
      ['issue', 'import', 'revoke'],
    ],
    [
      'a certificate',
      'secretsmanager:CreateSecret',
      secret('certrelay/certificates/shop'),
      ['issue', 'register', 'discover', 'import', 'revoke', 'pause'],
    ],
    ['a certificate', 'secretsmanager:DeleteSecret', secret('certrelay/certificates/shop-AbCdEf'), []],
    [
      'a certificate that was deleted',
      'secretsmanager:RestoreSecret',
      secret('certrelay/certificates/shop-AbCdEf'),
      ['retire'],
    ],
    [
      'an account',
      'secretsmanager:GetSecretValue',
      secret('certrelay/accounts/0a1b-AbCdEf'),
      ['issue', 'import', 'revoke'],
    ],
    ['what is imported', 'secretsmanager:GetSecretValue', secret('certrelay/import/shop-AbCdEf'), ['import']],
    [
      'a kubeconfig',
      'secretsmanager:GetSecretValue',
      secret('certrelay/clusters/lab-AbCdEf'),
      ['deploy', 'discover', 'import'],
    ],
    ['a kubeconfig', 'secretsmanager:PutSecretValue', secret('certrelay/clusters/lab-AbCdEf'), []],
    ['the webhook secret', 'secretsmanager:GetSecretValue', secret('certrelay/webhook-AbCdEf'), ['register']],
    ['a secret of others', 'secretsmanager:GetSecretValue', secret('certrelay/webhook-of-others-AbCdEf'), []],
    ['a secret of others', 'secretsmanager:GetSecretValue', secret('payments/card-key-AbCdEf'), []],
    [
      'the list of secrets',
      'secretsmanager:ListSecrets',
      '*',
      ['issue', 'deploy', 'register', 'discover', 'revoke', 'retire', 'probe', 'status', 'dashboard'],
    ],
    [
      'the key that signs for agents',
      'secretsmanager:GetSecretValue',
      secret('certrelay/signing-key-AbCdEf'),
      ['issue', 'revoke'],
    ],
    [
      'the issue queue',
      'sqs:SendMessage',
      account.arns.IssueQueue,
      ['issue', 'register', 'discover', 'retire'],
    ],
    ['the deploy queue', 'sqs:SendMessage', account.arns.DeployQueue, ['deploy']],
    ['the issue queue', 'sqs:ReceiveMessage', account.arns.IssueQueue, ['issue']],
    ['record sets', 'route53:ListResourceRecordSets', 'arn:aws:route53:::hostedzone/Z1', ['issue', 'revoke']],
    ['a change', 'route53:GetChange', 'arn:aws:route53:::change/C1', ['issue', 'revoke']],
    ['a hosted zone', 'route53:DeleteHostedZone', 'arn:aws:route53:::hostedzone/Z1', []],
  ])('Y10 %s: %s on %s by %j alone', (_, action, resource, allowed) => {
    const may = functionNames.filter((name) => isAllowed(policies[name] ?? [], { action, resource }));
    expect(may).toEqual(functionNames.filter((name) => allowed.includes(name)));
  });

  describe('a certificate’s AWS secret is deleted', () => {
    const resource = secret('certrelay/certificates/shop-AbCdEf');
    const may = (action: string, conditions: Readonly<Record<string, readonly string[]>>) =>
      functionNames.filter((name) =>
        isAllowed(policies[name] ?? [], { action: `secretsmanager:${action}`, resource, conditions }),
      );
    const window = { 'secretsmanager:RecoveryWindowInDays': ['30'] };
    const tag = (key: string, value: string) => ({ [`aws:ResourceTag/certrelay:${key}`]: [value] });
    const retired = tag('retire', 'retire/2026-11-22T10:00:00.000Z/revoke');
    const givenUp = tag('unregister', '2026-11-22T10:00:00.000Z');

    const gone = tag('gone', 'retire/2026-11-22T10:00:00.000Z/2026-11-15T10:00:00.000Z');

    it.each([retired, givenUp, gone])('Y10 by issue alone, with its replicas, under %j', (wish) => {
      expect(may('DeleteSecret', { ...window, ...wish })).toEqual(['issue']);
      expect(may('RemoveRegionsFromReplication', wish)).toEqual(['issue']);
    });

    it.each<[string, Readonly<Record<string, readonly string[]>>]>([
      ['without such a tag', window],
      ['with a tag that was cleared', { ...window, ...tag('retire', ''), ...tag('unregister', '') }],
      ['after it was restored', { ...window, ...tag('retire', 'restored/2026-11-22T10:00:00.000Z/v') }],
      [
        'while it is only counted how long no object asks',
        { ...window, ...tag('gone', 'counting/2026-11-15T10:00:00.000Z/7/2026-11-22T10:00:00.000Z/3') },
      ],
      ['with the shortest window', { 'secretsmanager:RecoveryWindowInDays': ['7'], ...retired }],
      ['without a window', { 'secretsmanager:ForceDeleteWithoutRecovery': ['true'], ...retired }],
      ['with the tag of another', { ...window, ...tag('source', 'retire/2026') }],
    ])('Y10 by nobody %s', (_, conditions) => {
      expect(may('DeleteSecret', conditions)).toEqual([]);
    });
  });

  it.each<[string, string, string, readonly string[]]>([
    ['a role of the inventory', 'sts:AssumeRole', zoneRole, ['issue', 'revoke']],
    ['a role of a cluster', 'sts:AssumeRole', eksRole, ['deploy', 'discover', 'import']],
    ['a cluster', 'eks:DescribeCluster', eksArn('prod'), ['deploy', 'discover', 'import']],
    ['a cluster of others', 'eks:DescribeCluster', eksArn('production'), []],
    ['another role', 'sts:AssumeRole', `${zoneRole}-of-others`, []],
  ])('Y10 %s: %s on %s by %j alone, where the inventory names it', (_, action, resource, allowed) => {
    const [without, named] = [packaged, tailored].map(({ template }) => readPolicies(template, account));
    const may = (roles: typeof without) =>
      functionNames.filter((name) => isAllowed(roles?.[name] ?? [], { action, resource }));
    expect(may(named)).toEqual(functionNames.filter((name) => allowed.includes(name)));
    expect(may(without)).toEqual([]);
  });

  it('records that stay are written where an issuer writes them, or where a parameter says so', async () => {
    const record = {
      ...change(['TXT'], ['_validation-persist.shop.example.com'], ['CREATE']),
      resource: 'arn:aws:route53:::hostedzone/Z1AAAA',
    };
    const may = (template: Template) => {
      const roles = readPolicies(template, account);
      return functionNames.filter((name) => isAllowed(roles[name] ?? [], record));
    };
    expect(may(packaged.template)).toEqual([]);
    expect(may(tailored.template)).toEqual(['issue', 'revoke']);
    const persistent = emptyInventory.replace('agreeToTerms', 'challenge: dns-persist-01\n    agreeToTerms');
    expect(may(await readUnpackaged(inventoryOf(persistent)))).toEqual(['issue', 'revoke']);
  });

  it('hosted zones may be listed, and imports into ACM kept to what has our tag', () => {
    const roles = readPolicies(tailored.template, account);
    const reads = (zone: string) =>
      functionNames.filter((name) =>
        isAllowed(roles[name] ?? [], {
          action: 'route53:ListResourceRecordSets',
          resource: `arn:aws:route53:::hostedzone/${zone}`,
        }),
      );
    expect(['Z1AAAA', 'Z2BBBB', 'Z3CCCC'].map(reads)).toEqual([['issue', 'revoke'], ['issue', 'revoke'], []]);
    const changed = change(['TXT'], ['_acme-challenge.shop.example.com'], ['CREATE']);
    const resource = 'arn:aws:route53:::hostedzone/Z2BBBB';
    expect(isAllowed(roles.issue ?? [], { ...changed, resource })).toBe(true);
    expect(isAllowed(roles.issue ?? [], changed)).toBe(false);
    const tagging = {
      action: 'acm:AddTagsToCertificate',
      resource: 'arn:aws:acm:us-east-1:123456789012:certificate/of-others',
      conditions: {
        'aws:RequestTag/certrelay:certificate': ['lab/certrelay/shop'],
        'aws:TagKeys': ['certrelay:certificate'],
      },
    };
    expect(isAllowed(roles.deploy ?? [], tagging)).toBe(false);
  });

  it('are read without packaging as they are packaged, for a sandbox that runs by itself', async () => {
    const plain = await readUnpackaged(inventoryOf(emptyInventory));
    expect(readPolicies(plain, account)).toEqual(policies);
    const options = { ...parameters, keepsLastingRecords: true };
    const wide = await readUnpackaged(inventoryOf(wideInventory), parameters, options);
    expect(readPolicies(wide, account)).toEqual(readPolicies(tailored.template, account));
  });

  const ours = '_acme-challenge.shop.example.com';

  it.each([
    ['a TXT exchanged at _acme-challenge', change(['TXT'], [ours], ['DELETE', 'CREATE']), true],
    ['an address', change(['A'], [ours], ['CREATE']), false],
    ['an address beside a TXT', change(['TXT', 'A'], [ours], ['CREATE']), false],
    ['a TXT at another name', change(['TXT'], ['shop.example.com'], ['CREATE']), false],
    [
      'a TXT at a name that only ends like ours',
      change(['TXT'], ['x._acme-challenge.example.com'], ['CREATE']),
      false,
    ],
    ['another name beside ours', change(['TXT'], [ours, '_dmarc.example.com'], ['CREATE']), false],
    ['UPSERT, which would overwrite values of others', change(['TXT'], [ours], ['UPSERT']), false],
    ['a request without record types', change(undefined, [ours], ['CREATE']), false],
    ['a request without names', change(['TXT'], undefined, ['CREATE']), false],
    ['a request without actions', change(['TXT'], [ours], undefined), false],
  ])('issue and revoke change in Route 53: %s: %s', (_, request, allowed) => {
    for (const name of functionNames) {
      const orders = name === 'issue' || name === 'revoke';
      expect(isAllowed(policies[name] ?? [], request), name).toBe(allowed && orders);
    }
  });
});
