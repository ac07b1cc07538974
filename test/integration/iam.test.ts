// Holds what the functions really did against what their roles allow, both ways.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { packageService } from '../infra/packaged.ts';
import { type AccessRequest, isAllowed, readPolicies, type Statement } from '../infra/policies.ts';
import type { Call } from '../sandbox/journal.ts';
import { type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { postDomains } from '../sandbox/webhook-call.ts';

const functions = ['issue', 'deploy', 'register'] as const;
const registered = { name: 'customer', domains: ['customer.example.com', '*.customer.example.com'] };
/** Lambda's own doing in the function's name: the sandbox prints logs instead. */
const logging = ['logs:CreateLogStream', 'logs:PutLogEvents'];

let sandbox: Sandbox;
let policies: Readonly<Record<string, readonly Statement[]>>;

beforeAll(async () => {
  const target = { cluster: 'lab', namespace: 'edge', secret: '{name}-tls' };
  sandbox = await startSandbox({
    namespaces: ['edge'],
    registration: { zones: ['example.com'], issuer: 'default', targets: [target] },
    certificates: [{ name: 'shop', domains: ['shop.example.com'], issuer: 'default', key: 'ecdsa-p256' }],
  });
  // A second zone of the name, so that the functions must find out which one DNS leads to.
  sandbox.route53.createZone('example.com', { delegated: false });
  const { template } = await packageService();
  const arns = { IssueQueue: sandbox.queues.issue.arn, DeployQueue: sandbox.queues.deploy.arn };
  policies = readPolicies(template, { region: 'eu-central-1', account: '123456789012', arns });
  await runEverything();
});
afterAll(() => sandbox.stop());

/** Each thing a function does, once: a registration, orders, a crash that is healed, deliveries, a second look. */
async function runEverything(): Promise<void> {
  const { lambda, httpApi, webhookSecret, queues, faults } = sandbox;
  await postDomains(httpApi, registered, webhookSecret);
  await queues.issue.untilEmpty();
  await postDomains(httpApi, registered, webhookSecret);
  faults.set('acme', 'certificate', { kind: 'drop' }, 10);
  await lambda.invoke('issue', {}, { remainingMs: 4_000 });
  faults.clear();
  await lambda.invoke('issue', {});
  await queues.deploy.untilEmpty();
  await lambda.invoke('deploy', {});
}

const changes = z.array(z.object({ action: z.string(), name: z.string(), type: z.string() }));

/** What IAM would be asked for a call. */
function requestOf({ service, action, resource, detail }: Call): AccessRequest {
  const sent = changes.safeParse(detail).data;
  const key = (name: string) => `route53:ChangeResourceRecordSets${name}`;
  const conditions = sent && {
    [key('NormalizedRecordNames')]: sent.map(({ name }) => name),
    [key('RecordTypes')]: sent.map(({ type }) => type),
    [key('Actions')]: sent.map((change) => change.action),
  };
  return { action: `${service}:${action}`, resource, conditions };
}

function callsOf(principal: string): readonly Call[] {
  const aws = ['secretsmanager', 'route53', 'sqs'];
  return sandbox.journal.find({ principal }).filter(({ service }) => aws.includes(service));
}

describe.each(functions)('the role of %s', (name) => {
  it('Y10 allows every call that the function made, on the very resource', () => {
    const calls = callsOf(name);
    expect(calls.length).toBeGreaterThan(3);
    const denied = calls.map(requestOf).filter((request) => !isAllowed(policies[name] ?? [], request));
    expect(denied).toEqual([]);
  });

  it('Y10 allows no action that the function did not use', () => {
    const allowed = new Set((policies[name] ?? []).flatMap(({ actions }) => actions));
    const used = new Set(callsOf(name).map(({ service, action }) => `${service}:${action}`));
    // A secret that is made with tags needs the right to tag, as AWS documents for CreateSecret.
    if (used.has('secretsmanager:CreateSecret')) used.add('secretsmanager:TagResource');
    expect([...allowed].filter((action) => !used.has(action) && !logging.includes(action))).toEqual([]);
  });

  it('Y10 allows no call that the other functions made for themselves alone', () => {
    const reserved = { issue: 'route53', deploy: 'clusters/', register: 'webhook' } as const;
    for (const other of functions.filter((candidate) => candidate !== name)) {
      const own = callsOf(other).filter(({ service, resource }) =>
        `${service} ${resource}`.includes(reserved[other]),
      );
      expect(own.length).toBeGreaterThan(0);
      expect(own.map(requestOf).filter((request) => isAllowed(policies[name] ?? [], request))).toEqual([]);
    }
  });
});
