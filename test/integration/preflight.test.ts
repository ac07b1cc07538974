// What DNS says before an order, through the functions as they are deployed: each obstacle costs no order,
// its message names the record, and once the record is right the next pass orders.
import {
  type Change,
  ChangeResourceRecordSetsCommand,
  type ResourceRecordSet,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { fixedZone } from '../sandbox/dns/answer.ts';
import { eventOf } from '../sandbox/narration.ts';
import { accessKeyOf } from '../sandbox/principal.ts';
import type { HostedZone } from '../sandbox/route53/hosted-zone.ts';
import { prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';

const report = z.object({
  ok: z.boolean(),
  failures: z.array(z.unknown()),
  certificates: z.array(
    z.looseObject({
      decision: z.string(),
      reason: z.string(),
      message: z.string(),
      outcome: z.string().optional(),
      warnings: z.array(z.string()).optional(),
    }),
  ),
});

const names = [
  'elsewhere',
  'issue',
  'wild',
  'account',
  'method',
  'chain',
  'broken',
  'silent',
  'first',
  'cut',
  'stray',
  'moved',
];
const domainsOf: Readonly<Record<string, readonly string[]>> = {
  elsewhere: ['shop.example.org'],
  wild: ['wild.example.com', '*.wild.example.com'],
  chain: ['chain.customer.net'],
  moved: ['www.moved.net'],
};

let sandbox: Sandbox;
let zone: HostedZone;
let client: Route53Client;
const events: string[] = [];
beforeAll(async () => {
  sandbox = await startSandbox({
    zones: [],
    dns: { delegationZone: 'example.com' },
    certificates: names.map((name) => ({ name, domains: domainsOf[name] ?? [`${name}.example.com`] })),
    onLine: (line) => events.push(eventOf(line) ?? ''),
  });
  zone = sandbox.route53.createZone('example.com');
  client = new Route53Client({
    endpoint: sandbox.route53.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: accessKeyOf('operator'), secretAccessKey: 'none' },
  });
});
afterAll(() => sandbox.stop());

const write = async (
  action: Change['Action'],
  name: string,
  type: ResourceRecordSet['Type'],
  ...values: string[]
) => {
  const ResourceRecords = values.map((Value) => ({ Value }));
  const set: ResourceRecordSet = { Name: name, Type: type, TTL: 60, ResourceRecords };
  const Changes = [{ Action: action, ResourceRecordSet: set }];
  await client.send(new ChangeResourceRecordSetsCommand({ HostedZoneId: zone.id, ChangeBatch: { Changes } }));
};

/** The only line of a report over one certificate, with the failures of the call. */
async function ask(name: string, event: object = {}) {
  const call = { certificates: [name], ...event, report: true };
  const { answer, error } = await sandbox.lambda.invoke('issue', call);
  expect(error?.errorMessage).toBeUndefined();
  const { certificates, ok, failures } = report.parse(answer);
  const [line] = certificates;
  if (!line) throw new Error('the report is empty');
  expect(ok).toBe(failures.length === 0);
  return { ...line, failures };
}

/** Tags and values of the certificate's AWS secret, as text. */
const keptOf = (name: string) => {
  const { tags, versions } = sandbox.secretsManager.vault.find(`${prefix}/certificates/${name}`) ?? {};
  return JSON.stringify([[...(tags ?? [])], [...(versions ?? [])]]);
};

const orders = () => sandbox.journal.count({ service: 'acme', action: 'newOrder' });

/** Held back in a dry run and in a pass, for the words given; ordered by the pass after `mend`. */
async function expectObstacle(name: string, words: readonly string[], mend: () => unknown): Promise<void> {
  const [before, kept] = [orders(), keptOf(name)];
  for (const event of [{ dryRun: true }, {}]) {
    const line = await ask(name, event);
    expect(line).toMatchObject({ decision: 'wait', reason: 'PreflightFailed' });
    // A pass waits for a person and goes on; whoever tries wants to know.
    const failures = [{ what: name, code: 'PreflightFailed', message: line.message }];
    expect(line.failures).toEqual('dryRun' in event ? failures : []);
    for (const word of words) expect(line.message).toContain(word);
    // A pass remembers why, and nothing else.
    if ('dryRun' in event) expect(keptOf(name)).toBe(kept);
    expect(keptOf(name)).not.toContain('PRIVATE KEY');
  }
  expect(orders()).toBe(before);
  const secret = sandbox.secretsManager.vault.find(`${prefix}/certificates/${name}`);
  expect(secret?.tags.get('certrelay:problem')).toContain('=20PreflightFailed=20');
  await mend();
  expect(await ask(name)).toMatchObject({ decision: 'order', outcome: 'issued' });
  expect(orders()).toBe(before + 1);
}

it('a dry run before the first order makes no account, and does not judge CAA for one', async () => {
  await write(
    'CREATE',
    'first.example.com',
    'CAA',
    '0 issue "ca.sandbox.example; accounturi=https://a.example/1"',
  );
  expect(await ask('first', { dryRun: true })).toMatchObject({ decision: 'order', reason: 'Missing' });
  expect(sandbox.journal.count({ service: 'acme', action: 'newAccount' })).toBe(0);
  expect(sandbox.secretsManager.vault.secrets.some(({ name }) => name.includes('/accounts/'))).toBe(false);
  expect(await ask('first')).toMatchObject({ reason: 'PreflightFailed' });
  expect(sandbox.journal.count({ service: 'acme', action: 'newAccount' })).toBe(1);
});

describe('K31 an order is held back', () => {
  it('where NS leads elsewhere than to the zone that would be written', async () => {
    const mislaid = sandbox.route53.createZone('example.org', { delegated: false });
    let live = ['ns1.elsewhere.example'];
    const records = () => live.map((data) => ({ name: 'example.org.', type: 'NS' as const, data }));
    sandbox.dns.serve(() => (live.length > 0 ? [fixedZone('example.org.', records())] : []));
    const words = ['example.org. NS: ', 'ns1.elsewhere.example', 'ns-1.sandbox.example'];
    await expectObstacle('elsewhere', words, () => {
      live = [];
      mislaid.isDelegated = true;
    });
    expect(events).toContain('preflight failed');
  });

  it('where CAA names another CA', async () => {
    const other = '0 issue "other.example"';
    await write('CREATE', 'issue.example.com', 'CAA', other);
    const words = ['issue.example.com. CAA: ', other, 'add 0 issue "ca.sandbox.example"'];
    await expectObstacle('issue', words, () =>
      write('UPSERT', 'issue.example.com', 'CAA', other, '0 issue "ca.sandbox.example"'),
    );
  });

  it('where CAA forbids wildcards', async () => {
    const both = ['0 issue "ca.sandbox.example"', '0 issuewild ";"'];
    await write('CREATE', 'wild.example.com', 'CAA', ...both);
    const words = ['wild.example.com. CAA: ', '0 issuewild ";"', '*.wild.example.com'];
    await expectObstacle('wild', words, () => write('DELETE', 'wild.example.com', 'CAA', ...both));
  });

  it('where CAA is for another account', async () => {
    await write(
      'CREATE',
      'account.example.com',
      'CAA',
      '0 issue "ca.sandbox.example; accounturi=https://a.example/2"',
    );
    const { message } = await ask('account');
    const [, ours = ''] = /set accounturi=(\S+),/.exec(message) ?? [];
    expect(URL.canParse(ours)).toBe(true);
    await expectObstacle('account', ['account.example.com. CAA: ', ours], () =>
      write('UPSERT', 'account.example.com', 'CAA', `0 issue "ca.sandbox.example; accounturi=${ours}"`),
    );
  });

  it('where CAA wants another method', async () => {
    const issue = (methods: string) => `0 issue "ca.sandbox.example; validationmethods=${methods}"`;
    await write('CREATE', 'method.example.com', 'CAA', issue('http-01'));
    await expectObstacle('method', ['method.example.com. CAA: ', 'validationmethods', 'dns-01'], () =>
      write('UPSERT', 'method.example.com', 'CAA', issue('http-01,dns-01')),
    );
  });

  it('where the CNAMEs of the challenge run in a circle', async () => {
    const from = '_acme-challenge.chain.customer.net';
    let target = from;
    sandbox.dns.serve(() => [
      fixedZone('customer.net.', [
        { name: 'customer.net.', type: 'NS', data: 'ns1.customer.net' },
        { name: `${from}.`, type: 'CNAME', data: target },
      ]),
    ]);
    const right = '_acme-challenge.chain-customer-net.example.com';
    const words = [`${from}. CNAME: `, 'circle', `"${from}. CNAME ${right}."`];
    await expectObstacle('chain', words, () => {
      target = right;
    });
  });

  it('where the name is delegated away below the zone', async () => {
    await write('CREATE', 'cut.example.com', 'NS', 'ns1.elsewhere.example.');
    const words = [
      'cut.example.com. NS: ',
      'ns1.elsewhere.example',
      'remove the NS records at cut.example.com',
    ];
    await expectObstacle('cut', words, () =>
      write('DELETE', 'cut.example.com', 'NS', 'ns1.elsewhere.example.'),
    );
  });

  it('where a CNAME of our own zone leads the challenge to a stranger', async () => {
    const [from, to] = ['_acme-challenge.stray.example.com', 'stray.dns.stranger.example.'];
    await write('CREATE', from, 'CNAME', to);
    const words = [
      `${from}. CNAME: `,
      `remove the record "${from}. CNAME ${to}" from hosted zone example.com`,
    ];
    await expectObstacle('stray', words, () => write('DELETE', from, 'CNAME', to));
  });

  it('where DNS answers SERVFAIL, on which the CA refuses', async () => {
    const broken = { kind: 'error', code: 'SERVFAIL', status: 0 } as const;
    sandbox.faults.set('dns', 'CAA', broken, 1_000, (name) => name === 'broken.example.com');
    await expectObstacle('broken', ['broken.example.com. CAA: ', 'SERVFAIL'], () => sandbox.faults.clear());
  });
});

it('an order goes on where a chosen resolver knows DS records of another signer, and the report warns', async () => {
  sandbox.route53.createZone('moved.net');
  const data = { keyTag: 4711, algorithm: 13, digestType: 2, digest: Buffer.alloc(32, 1) };
  const server = { type: 'NS' as const, data: 'ns-1.sandbox.example' };
  let isLeft = true;
  const above = [
    fixedZone('.', [
      { name: 'net.', ...server },
      { name: 'net.', type: 'DS', data },
    ]),
    fixedZone('net.', [
      { name: 'net.', ...server },
      { name: 'moved.net.', type: 'DS', data },
    ]),
  ];
  sandbox.dns.serve(() => (isLeft ? above : []));
  const line = await ask('moved');
  isLeft = false;
  expect(line).toMatchObject({ outcome: 'issued' });
  for (const word of ['moved.net. DS: ', 'key tag 4711', 'only remembers old records', 'at its registrar'])
    expect(line.warnings?.join()).toContain(word);
});

it('an order goes on where DNS says nothing, and the report warns', async () => {
  sandbox.faults.set('dns', 'CAA', { kind: 'drop' }, 1_000, (name) => name === 'silent.example.com');
  const startedAt = Date.now();
  const line = await ask('silent');
  expect(line).toMatchObject({ outcome: 'issued' });
  expect(line.warnings?.join()).toMatch(/^silent\.example\.com\. CAA: .* did not answer/);
  expect(Date.now() - startedAt).toBeLessThan(30_000);
  expect(events).toContain('preflight warned');
  sandbox.faults.clear();
});
