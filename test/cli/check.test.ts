// The doctor of an installation: each part that is not as it should be is one line that says what to do.

import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { lookAtClusters } from '../../infra/cli/check/calls.ts';
import { top } from '../../infra/cli/checkout.ts';
import type { CommandSession } from '../../infra/cli/session.ts';
import { certrelay, startScriptedLambda } from './harness.ts';
import { type AnswerAction, json, member, startScriptedAws, xml } from './scripted-aws.ts';

const topic = 'arn:aws:sns:eu-central-1:123456789012:certrelay-dev-NoticeTopic';

const stack = (status: string) =>
  xml(
    'DescribeStacks',
    `<Stacks>${member({
      StackName: 'certrelay-dev',
      StackStatus: status,
      CreationTime: '2026-01-01T00:00:00Z',
      Outputs: member({ OutputKey: 'HttpApiUrl', OutputValue: 'https://api.example.com' }),
    })}</Stacks>`,
  );
const subscription = (...arns: readonly string[]) =>
  xml(
    'ListSubscriptionsByTopic',
    `<Subscriptions>${arns
      .map((arn) => member({ SubscriptionArn: arn, Protocol: 'email', Endpoint: 'ops@example.com' }))
      .join('')}</Subscriptions>`,
  );
const statusWith = (more: object) => ({
  ok: true,
  failures: [],
  installation: 'certrelay',
  certificates: [{ name: 'shop', domains: ['shop.example.com'] }],
  clusters: [{ name: 'prod', health: 'Healthy', message: 'fine' }],
  issuers: [{ name: 'default', health: 'Healthy', message: 'fine' }],
  channels: [],
  ...more,
});
const deployed = (outcome: string, message: string) => ({
  ok: true,
  failures: [],
  certificates: [{ name: 'shop', targets: [{ target: 'prod/shop/shop-tls', outcome, message }] }],
});
const ordered = (more: object) => ({ ok: true, failures: [], certificates: [{ name: 'shop', ...more }] });

/** An installation that has all it needs, by action and what it is about. */
const healthy: Readonly<Record<string, ReturnType<AnswerAction>>> = {
  GetCallerIdentity: xml('GetCallerIdentity', '<Arn>arn:aws:iam::123456789012:user/kim</Arn>'),
  DescribeStacks: stack('UPDATE_COMPLETE'),
  ListStackResources: xml(
    'ListStackResources',
    `<StackResourceSummaries>${member({
      LogicalResourceId: 'IssueLambdaFunction',
      ResourceType: 'AWS::Lambda::Function',
      PhysicalResourceId: 'certrelay-dev-issue',
    })}</StackResourceSummaries><NextToken>more</NextToken>`,
  ),
  'ListStackResources more': xml(
    'ListStackResources',
    `<StackResourceSummaries>${member({ LogicalResourceId: 'NoticeTopic', PhysicalResourceId: topic })}</StackResourceSummaries>`,
  ),
  ListSubscriptionsByTopic: subscription(`${topic}:1`),
  GetAccountSettings: json({ AccountLimit: { UnreservedConcurrentExecutions: 1000 } }),
  'GetFunctionConfiguration issue': json({ State: 'Active', LastUpdateStatus: 'Successful' }),
  DescribeSecret: json({ Name: 'certrelay/webhook', VersionIdsToStages: { one: ['AWSCURRENT'] } }),
  'Invoke status': json(statusWith({})),
  'Invoke issue': json(ordered({ decision: 'order', zones: ['example.com'] })),
  'Invoke deploy': json(deployed('planned', 'Secret up to date')),
};

let stop = () => {};
afterEach(() => stop());

async function check(changes: Readonly<Record<string, ReturnType<AnswerAction>>>, line = 'check -o json') {
  return checkWith((action, about) => changes[`${action} ${about}`.trim()], line);
}

/** Runs it. What `answer` does not answer is as it should be. */
async function checkWith(answer: AnswerAction, line = 'check', columns = '') {
  const aws = await startScriptedAws(
    (action, about, body) => answer(action, about, body) ?? healthy[`${action} ${about}`.trim()],
  );
  stop = () => aws.stop();
  return certrelay(line, { env: { ...aws.env, COLUMNS: columns } });
}

/** The lines that are not ok, as `part: message`. */
async function troubles(changes: Parameters<typeof check>[0], verdict: 'problem' | 'unknown') {
  const { out, code } = await check(changes);
  const parts: readonly { part: string; verdict: string; message: string }[] = JSON.parse(out).parts;
  const found = parts.filter((one) => one.verdict !== 'ok');
  expect(found.every((one) => one.verdict === verdict)).toBe(true);
  return { code, told: found.map(({ part, message }) => `${part}: ${message}`) };
}

describe('check', () => {
  it('of an installation that has all it needs says what is there, and ends with 0', async () => {
    const { out, code } = await check({}, 'check');
    expect(out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 2).join(' '))).toEqual([
      'ok credentials',
      'ok stack',
      'ok functions',
      'ok function/status',
      'ok function/issue',
      'ok function/deploy',
      'ok zone/example.com',
      'ok certificates',
      'ok cluster/prod',
      'ok issuer/default',
      'ok webhook',
      'ok alarms',
      'ok limits',
      '',
    ]);
    expect(out).toContain('user/kim');
    expect(out).toContain('https://api.example.com/domains');
    expect(code).toBe(0);
    expect((await check({}, 'check -q')).out).toBe('');
  });

  it.each<[string, Readonly<Record<string, ReturnType<AnswerAction>>>, RegExp]>([
    [
      'credentials that ended',
      { GetCallerIdentity: { code: 'ExpiredToken' } },
      /^credentials: .*sign in to AWS/,
    ],
    [
      'credentials that AWS does not know',
      { GetCallerIdentity: { code: 'UnrecognizedClientException' } },
      /^credentials: .*sign in to AWS/,
    ],
    ['a deploy that failed', { DescribeStacks: stack('UPDATE_ROLLBACK_FAILED') }, /^stack: .*deploy again/],
    [
      'a function that cannot be started',
      { 'GetFunctionConfiguration issue': json({ State: 'Failed', StateReason: 'no subnet' }) },
      /^functions: certrelay-dev-issue cannot be started \(no subnet\); deploy again/,
    ],
    [
      'a zone that is not delegated',
      {
        'Invoke issue': json(
          ordered({ decision: 'wait', reason: 'PreflightFailed', message: 'create the zone' }),
        ),
      },
      /^order\/shop: create the zone/,
    ],
    [
      'a cluster that refuses',
      { 'Invoke deploy': json(deployed('pending', 'Forbidden: bind the role')) },
      /^cluster\/prod: Forbidden: bind the role/,
    ],
    [
      'certificates that are ill',
      {
        'Invoke status': json(
          statusWith({
            certificates: [
              { name: 'old', health: 'Degraded', reason: 'ExpiresSoon' },
              { name: 'shop', health: 'Healthy' },
            ],
            omitted: 7,
          }),
        ),
      },
      /^certificates: Degraded, 1 of 9: old; run: npx certrelay status/,
    ],
    [
      'an agent that nobody deployed',
      {
        'Invoke status': json(
          statusWith({
            agents: [
              { name: 'edge', health: 'Progressing', message: 'never seen', command: 'kubectl apply' },
            ],
          }),
        ),
      },
      /^agent\/edge: never seen; run: kubectl apply/,
    ],
    [
      'no secret of the webhook',
      { DescribeSecret: { code: 'ResourceNotFoundException' } },
      /^webhook: .*refused: deploy with/,
    ],
    [
      'a secret of the webhook that is being deleted',
      { DescribeSecret: json({ DeletedDate: 1 }) },
      /^webhook: .*restore-secret --secret-id certrelay\/webhook/,
    ],
    [
      'a secret of the webhook without a value',
      { DescribeSecret: json({ VersionIdsToStages: {} }) },
      /^webhook: .*has no value/,
    ],
    [
      'a mail that nobody confirmed',
      { ListSubscriptionsByTopic: subscription('PendingConfirmation') },
      /^alarms: not confirmed yet, so nothing arrives.*ops@example\.com; follow the link/,
    ],
    [
      'a second mail that nobody confirmed',
      {
        ListSubscriptionsByTopic: subscription(`${topic}:1`, 'PendingConfirmation', 'Deleted'),
      },
      /^alarms: 1 subscribed to arn.*; not confirmed yet, so nothing arrives there: ops@example\.com; follow/,
    ],
    [
      'a topic whose subscribers have gone',
      { ListSubscriptionsByTopic: subscription('Deleted') },
      /^alarms: nobody has subscribed/,
    ],
    [
      'a topic without subscribers',
      { ListSubscriptionsByTopic: xml('ListSubscriptionsByTopic', '<Subscriptions/>') },
      /^alarms: nobody has subscribed/,
    ],
    [
      'a topic that is gone',
      { ListSubscriptionsByTopic: { code: 'NotFound' } },
      /^alarms: the topic arn:.* is gone, and nobody is told: deploy again/,
    ],
    [
      'an account that may run too little',
      { GetAccountSettings: json({ AccountLimit: { UnreservedConcurrentExecutions: 3 } }) },
      /^limits: only 3 .*ask for more/,
    ],
  ])('says of %s what to do, and ends with 1', async (_what, changes, words) => {
    const { told, code } = await troubles(changes, 'problem');
    expect(told).toEqual([expect.stringMatching(words)]);
    expect(code).toBe(1);
  });

  it.each<[string, string, RegExp]>([
    ['DescribeStacks', 'AccessDenied', /cloudformation:DescribeStacks/],
    ['DescribeSecret', 'AccessDeniedException', /secretsmanager:DescribeSecret on certrelay\/webhook/],
    ['ListSubscriptionsByTopic', 'AuthorizationError', /sns:ListSubscriptionsByTopic on arn:/],
    ['GetAccountSettings', 'AccessDeniedException', /lambda:GetAccountSettings/],
    ['GetFunctionConfiguration issue', 'AccessDeniedException', /lambda:GetFunctionConfiguration/],
  ])('does not call well what it may not look at: %s', async (action, code, right) => {
    const { told, code: ended } = await troubles({ [action]: { code } }, 'unknown');
    expect(told[0]).toMatch(/could not be looked at/);
    expect(told[0]).toMatch(right);
    expect(ended).toBe(0);
  });

  it.each<[string, ReturnType<AnswerAction>, RegExp]>([
    ['DescribeStacks', { body: '<html>sign in</html>' }, /not AWS, or only a part of it.*AWS_ENDPOINT_URL/],
    ['DescribeStacks', { code: 'Throttling' }, /too many requests.*check again later/],
    ['GetCallerIdentity', { code: 'InvalidAction' }, /not AWS, or only a part of it/],
    ['GetAccountSettings', { body: 'not JSON' }, /not AWS, or only a part of it.*lambda:GetAccountSettings/],
    [
      'DescribeSecret',
      { code: 'AccessDeniedException' },
      /your credentials may not.*ask for secretsmanager:/,
    ],
    ['ListSubscriptionsByTopic', { code: 'AuthorizationError' }, /ask for sns:ListSubscriptionsByTopic/],
  ])('says in plain words why %s gave nothing, and what to do', async (action, answer, words) => {
    const { told } = await troubles({ [action]: answer }, 'unknown');
    expect(told[0]).toMatch(words);
    expect(told.join()).not.toMatch(
      /@aws-sdk|eserializ|\$response|InvalidAction|SyntaxError|Exception|Unexpected/,
    );
  });

  it('does not call an issuer well whose CA refused an order a moment ago', async () => {
    const refused = {
      name: 'shop',
      domains: ['shop.example.com'],
      health: 'Progressing',
      reason: 'BackingOff',
      message: 'the CA refused: policy forbids it',
      command: 'npx certrelay plan shop',
    };
    const { out, code } = await check(
      { 'Invoke status': json(statusWith({ certificates: [refused] })) },
      'check',
    );
    expect(out).toMatch(
      /problem +order\/shop +the CA refused: policy forbids it; run: npx certrelay plan shop/,
    );
    expect(out).toMatch(/unknown +issuer\/default .*see order\/shop/);
    expect(code).toBe(1);
  });

  it('asks for each cluster by itself', async () => {
    const clusters = ['prod', 'test'].map((name) => ({ name, health: 'Healthy', message: 'fine' }));
    const asked: string[] = [];
    const { out } = await checkWith((_, about, body) => {
      if (about === 'status') return json(statusWith({ clusters }));
      if (about !== 'deploy') return undefined;
      const [name = ''] = JSON.parse(body).clusters;
      asked.push(name);
      if (name === 'test') return { code: 'TooManyRequestsException' };
      return json(deployed('unchanged', 'Secret up to date'));
    });
    expect(asked).toEqual(expect.arrayContaining(['prod', 'test']));
    expect(out).toMatch(/ok +function\/deploy/);
    expect(out).toMatch(/ok +cluster\/prod +reached, and one target may be read/);
    expect(out).toMatch(/unknown +cluster\/test +could not be looked at: deploy did not say/);
  });

  it('holds against no cluster what the inventory does not allow', async () => {
    const { certificates } = deployed('planned', 'Secret up to date');
    const targets = [{ target: 'prod/shop/stranger-tls', outcome: 'refused', message: 'not allowed' }];
    const { out } = await check(
      {
        'Invoke deploy': json({
          ok: false,
          failures: [{ what: 'stranger', code: 'NotAllowed', message: 'not allowed' }],
          certificates: [...certificates, { name: 'stranger', targets }],
        }),
      },
      'check',
    );
    expect(out).toMatch(/ok +cluster\/prod +reached, and one target may be read/);
  });

  it('says of which certificates DNS was not looked at, and what tells why', async () => {
    const certificates = ['shop.example.com', 'other.example.org'].map((domain) => ({
      name: domain.split('.')[0],
      domains: [domain],
    }));
    const paused = { name: 'other', decision: 'wait', reason: 'Paused' };
    const shop = { name: 'shop', decision: 'order', zones: ['example.com'] };
    const { out } = await checkWith((action, about, body) => {
      if (about === 'status') return json(statusWith({ certificates }));
      if (about !== 'issue' || action !== 'Invoke') return undefined;
      const list = JSON.parse(body).force ? [paused] : [shop, paused];
      return json({ ok: true, failures: [], certificates: list });
    });
    expect(out).toMatch(/ok +zone\/example\.com/);
    expect(out).toMatch(
      /unknown +zones +could not be looked at: those of other; run: npx certrelay plan other/,
    );
  });

  it('waits for no cluster that hangs longer than for the others', async () => {
    const clusters = ['hangs', 'prod'].map((name) => ({ name, health: 'Healthy', message: 'fine' }));
    const call: CommandSession['call'] = (_name, event, { signal }) =>
      JSON.stringify(event).includes('hangs')
        ? new Promise((_, reject) => signal?.addEventListener('abort', () => reject(new Error('aborted'))))
        : Promise.resolve(deployed('unchanged', 'Secret up to date'));
    const session = { call, signal: new AbortController().signal } as CommandSession;
    const parts = await lookAtClusters(session, { status: { clusters } }, 50);
    expect(parts.map(({ part, verdict }) => `${verdict} ${part}`)).toEqual([
      'ok function/deploy',
      'unknown cluster/hangs',
      'ok cluster/prod',
    ]);
    expect(parts[1]?.message).toMatch(/has not answered for 0\.05 s: something that it asks hangs/);
  });

  it('names files of the checkout as the caller reaches them', async () => {
    const agents = [{ name: 'edge', health: 'Progressing', message: 'deploy infra/agent-role.yaml to AWS' }];
    const aws = await startScriptedAws((action, about) =>
      about === 'status' ? json(statusWith({ agents })) : healthy[`${action} ${about}`.trim()],
    );
    stop = () => aws.stop();
    const { out } = await certrelay('check', { env: aws.env, cwd: join(top, 'docs/operating') });
    expect(out).toContain('deploy ../../infra/agent-role.yaml to AWS');
  });

  it('looks at DNS also where no order is due, by a dry run of one certificate for each domain', async () => {
    const names = ['blog', 'mail', 'shop'];
    const certificates = names.map((name) => ({ name, domains: [`${name}.example.com`] }));
    const forced: unknown[] = [];
    const { out } = await checkWith((action, about, body) => {
      if (about === 'status') return json(statusWith({ certificates }));
      if (about !== 'issue' || action !== 'Invoke') return undefined;
      const event = JSON.parse(body);
      if (!event.force)
        return json({
          ok: true,
          failures: [],
          certificates: names.map((name) => ({ name, decision: 'keep' })),
        });
      forced.push(event);
      return json(ordered({ decision: 'order', zones: ['example.com'], warnings: ['CAA allows no CA'] }));
    });
    expect(forced).toEqual([{ certificates: ['blog'], force: true, dryRun: true, report: true }]);
    expect(out).toMatch(/problem +order\/shop +CAA allows no CA\n/);
    expect(out).not.toMatch(/zone\/example/);
  });

  it('of functions that do not answer is no good news', async () => {
    const { out, code } = await check({ 'Invoke status': { code: 'AccessDeniedException' } }, 'check');
    expect(out).toMatch(/problem +function\/status +AWS refused: .*lambda:InvokeFunction/);
    expect(out).toMatch(/unknown +clusters/);
    expect(code).toBe(1);
  });

  it('asks nobody but Lambda where only its endpoint is given', async () => {
    const lambda = await startScriptedLambda((name) => {
      const given = healthy[`Invoke ${name}`];
      return given && 'body' in given ? given : json({ ok: true, failures: [] });
    });
    stop = () => lambda.stop();
    const { out } = await certrelay('check', { env: lambda.env });
    for (const part of ['credentials', 'stack', 'webhook', 'alarms'])
      expect(out).toMatch(new RegExp(`unknown +${part} +could not be looked at`));
  });

  it.each([72, 30])('shows hostile words of an answer harmlessly in %d columns', async (columns) => {
    const bad = 'x\u001b[2J\r\ny\u202e';
    const issuers = [{ name: 'ca', health: bad, message: `${bad} ${'long '.repeat(30)}` }];
    const answer: AnswerAction = (_, about) =>
      about === 'status' ? json(statusWith({ issuers })) : undefined;
    const { out } = await checkWith(answer, 'check', String(columns));
    expect(out).toMatch(/problem +issuer\/ca\s+x/);
    expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    // An address stays whole.
    const lines = out.split('\n').filter((line) => !/^ *https:\/\/\S+$/.test(line));
    for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(columns);
  });
});
