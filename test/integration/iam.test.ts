// Holds what the functions really did against what their roles allow, both ways.
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { eventSchemas } from '../../infra/template/event-schemas.ts';
import { certificateTags, installationTags } from '../../infra/template/tag-keys.ts';
import { writeSpecification } from '../../lib/adapters/secrets-manager/values.ts';
import { eventTypes } from '../../lib/policy/events/announcement.ts';
import { tagBudget } from '../../lib/state/budget.ts';
import { encodeState } from '../../lib/state/codec/tags.ts';
import { functionNames } from '../function-names.ts';
import { eksRole, zoneRole } from '../infra/packaged.ts';
import { readDnsRole } from '../infra/policies.ts';
import { mintChain } from '../minting/certificates.ts';
import { isAllowed, type Statement } from '../sandbox/iam/evaluation.ts';
import { type Call, neededFor } from '../sandbox/journal.ts';
import { prefix, type Sandbox, startSandbox } from '../sandbox/sandbox.ts';
import { callDomain, postAsGithub, postDomains } from '../sandbox/webhook-call.ts';

const functions = functionNames;
/** Its last name has its zone in another account. */
const registered = {
  name: 'customer',
  domains: ['customer.example.com', '*.customer.example.com', 'customer.example.net'],
};
const region = 'us-east-1';
const eventBus = 'deliveries';
const kmsKey = 'arn:aws:kms:eu-central-1:210987654321:key/12345678-90ab-cdef-1234-567890abcdef';
const channelSecret = `${prefix}/notify/slack`;
const pagerSecret = `${prefix}/notify/pagerduty`;
const password = { secret: `${prefix}/passwords/edge` };
const keystore = { cluster: 'lab', namespace: 'edge', format: 'pkcs12', password };
const ordering = ['issue', 'revoke'].map((name) => `arn:aws:iam::123456789012:role/${name}`);
const entering = ['deploy', 'discover', 'import'].map((name) => `arn:aws:iam::123456789012:role/${name}`);
/** Lambda's own doing in the function's name: the sandbox prints logs instead. */
const logging = ['logs:CreateLogStream', 'logs:PutLogEvents'];
/** What revoke lists to keep within the limits of Let's Encrypt, which the sandbox's CA does not have. */
const unseen: readonly string[] = ['revoke secretsmanager:ListSecrets'];

/** Tags of one secret beyond which fields give way. */
const room = tagBudget.most - tagBudget.reserved;

/** What the owner of the role gives it. */
const describesItsCluster: Statement = {
  sid: 'DescribeCluster',
  actions: ['eks:DescribeCluster'],
  resources: ['arn:aws:eks:*:210987654321:cluster/far'],
  conditions: {},
};

let sandbox: Sandbox;

beforeAll(async () => {
  const targets = ['lab', 'edge', 'prod', 'far'].map((cluster) => ({
    cluster,
    namespace: 'edge',
    secret: '{name}-tls',
  }));
  sandbox = await startSandbox({
    namespaces: ['edge'],
    issuer: { eab: { secret: `${prefix}/eab/lab` } },
    dns: { zones: [{ match: 'example.net', roleArn: zoneRole }] },
    roles: [
      { arn: zoneRole, trust: { principals: ordering }, statements: await readDnsRole() },
      { arn: eksRole, trust: { principals: entering }, statements: [describesItsCluster] },
    ],
    eks: {
      prod: { name: 'prod', region: 'eu-central-1' },
      far: { name: 'far', region: 'eu-central-1', roleArn: eksRole },
    },
    eventBus,
    kmsKey,
    notifications: [
      { slack: { secret: channelSecret }, events: ['Degraded', 'Recovered', 'Issued'] },
      { pagerduty: { secret: pagerSecret } },
      { email: true },
    ],
    registration: { zones: ['example.com', 'example.net'], issuer: 'default', targets },
    discovery: {
      places: ['lab/edge', 'prod/edge', 'far/edge'],
      zones: ['example.com'],
      retire: true,
    },
    manifests: annotatedService,
    certificates: ['shop', 'taken'].map((name) => ({
      name,
      domains: [`${name}.example.com`],
      issuer: 'default',
      key: 'ecdsa-p256',
      targets: [{ acm: { region } }, { ...keystore, secret: `${name}-keystore` }],
    })),
  });
  // A second zone of the name, so that the functions must find out which one DNS leads to.
  sandbox.route53.createZone('example.com', { delegated: false });
  sandbox.route53.createZone('example.net', { account: '210987654321' });
  sandbox.route53.createZone('example.net', { account: '210987654321', delegated: false });
  await sandbox.keepSecrets({
    [password.secret]: 'sixteen letters!',
    [channelSecret]: sandbox.receivers.urls.slack,
    [pagerSecret]: sandbox.receivers.routingKey,
  });
  await importByHand('taken.example.com');
  await askForBinding();
  await takeOver();
  await runEverything();
}, 240_000);
afterAll(() => sandbox.stop());

/** The CA makes accounts only for customers whom it has given a key. */
async function askForBinding(): Promise<void> {
  const { settings } = sandbox.authority;
  const hmacKey = randomBytes(32).toString('base64url');
  settings.externalAccountRequired = true;
  settings.externalAccounts.set('lab', hmacKey);
  await sandbox.keepSecrets({ [`${prefix}/eab/lab`]: JSON.stringify({ kid: 'lab', hmacKey }) });
}

/** Each thing a function does, once: a registration, orders, a crash that is healed, deliveries, a second
 *  look. */
async function runEverything(): Promise<void> {
  const { lambda, httpApi, webhookSecret, queues, faults } = sandbox;
  // The deploy calls it before anything has run.
  await lambda.invoke('status', {});
  await postDomains(httpApi, registered, webhookSecret);
  await queues.issue.untilEmpty();
  // What is delivered is on tags before others fill the room.
  await queues.deploy.untilEmpty();
  await revoke();
  await postDomains(httpApi, registered, webhookSecret);
  faults.set('acme', 'certificate', { kind: 'drop' }, 10);
  await lambda.invoke('issue', {}, { remainingMs: 4_000 });
  faults.clear();
  await lambda.invoke('issue', {});
  // Certificates were stored before the first full pass, so that it counts as an older installation.
  expect((await postAsGithub(httpApi, registered, webhookSecret)).status).toBe(200);
  await queues.deploy.untilEmpty();
  await lambda.invoke('deploy', {});
  // Only what has a version before can be rolled back.
  expect((await lambda.invoke('issue', { certificates: ['customer'], force: true })).error).toBeUndefined();
  await queues.deploy.untilEmpty();
  await fallSilent();
  await tamper();
  await bePaused();
  const customer = sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/customer`);
  const version = customer.labels.get('AWSCURRENT') ?? '';
  const freeze = { version, target: 'edge/edge/customer-tls', reason: 'it hung' };
  const uncrowd = () =>
    customer.removeTags([...customer.tags.keys()].filter((key) => key.startsWith('team:')));
  uncrowd();
  customer.setTags(Object.entries(encodeState({ reports: { edge: { freeze } } })));
  crowd('customer', room + 1);
  for (const said of [{ rollback: true }, { resume: true }]) {
    await lambda.invoke('deploy', { certificates: ['customer'], ...said });
  }
  uncrowd();
  await lambda.invoke('export', { certificates: ['taken'], format: 'manifest', key: true });
  await driftInAcm();
  await driftUntold();
  await lambda.invoke('probe', {});
  for (const event of [{}, { certificate: 'customer' }])
    expect((await lambda.invoke('dashboard', event)).error).toBeUndefined();
  await lambda.invoke('probe', { certificates: ['taken'] });
  await lambda.invoke('status', {});
  await lambda.invoke('status', { certificates: ['taken'] });
  await acknowledgeSomething();
  refuseEvents();
  expect((await lambda.invoke('discover', {})).error).toBeUndefined();
  faults.clear();
  await importDiscovered();
  await tellPeople();
  await letGo();
  await lose();
}

/** A target is put right while the bus takes nothing, which it is told later. */
async function driftUntold(): Promise<void> {
  const { lambda, secretsManager, kubernetes, faults } = sandbox;
  const owed = () =>
    secretsManager.vault.mustFind(`${prefix}/certificates/taken`).tags.get('certrelay:owedEvents') ?? '';
  kubernetes.remove('secrets', 'edge', 'taken-keystore');
  refuseEvents();
  await lambda.invoke('deploy', { certificates: ['taken'] });
  expect(owed()).toMatch(/^redelivered\//);
  faults.clear();
  await lambda.invoke('deploy', { certificates: ['taken'] });
  expect(owed()).toBe('');
}

/** The object that asked is gone, as if for fifteen days. */
async function lose(): Promise<void> {
  const { lambda, secretsManager, kubernetes } = sandbox;
  const found = secretsManager.vault.secrets.find(({ tags }) => tags.has('certrelay:place'));
  if (!found) throw new Error('discover has found nothing');
  const daysAgo = (days: number) => new Date(Date.now() - days * 86_400_000).toISOString();
  found.setTags([['certrelay:gone', `counting/${daysAgo(15)}/7/${daysAgo(8)}/2`]]);
  kubernetes.remove('services', 'edge', 'mail');
  expect((await lambda.invoke('discover', {})).error).toBeUndefined();
  expect(found.tags.get('certrelay:gone')).toMatch(/^retire\//);
  found.setTags([['certrelay:gone', `retire/${daysAgo(8)}/${daysAgo(15)}`]]);
  found.replicas.add('eu-west-1');
  const name = found.name.replace(`${prefix}/certificates/`, '');
  await lambda.invoke('issue', { certificates: [name] });
  await vi.waitFor(() => expect(found.deleted).toBeDefined(), patience);
}

/** A channel that does not take a notice at first, and a person who rings all of them. */
async function tellPeople(): Promise<void> {
  const { queues, faults, lambda, receivers } = sandbox;
  faults.set('notices', 'slack', { kind: 'error', code: 'x', status: 503 });
  const change = {
    subject: { kind: 'certificate', name: 'taken' },
    health: 'Degraded',
    previousHealth: 'Healthy',
  };
  const unknown = { domains: null, cause: null, certificates: null, version: null, notAfter: null };
  const rest = { ...unknown, expiresInDays: null, targets: null, command: null };
  const words = { reason: 'OrderFailing', message: 'it failed', since: new Date() };
  const omitted = { changes: 0, issued: 0, rows: 0 };
  const news = {
    schema: 1,
    installation: prefix,
    at: new Date(),
    changes: [{ ...change, ...words, ...rest }],
  };
  const mended = { ...change, health: 'Healthy', previousHealth: 'Degraded', ...words, ...rest };
  const before = receivers.accepted.slack.length;
  queues.notify.send(JSON.stringify({ ...news, issued: [], omitted }));
  queues.notify.send(JSON.stringify({ ...news, changes: [mended], issued: [], omitted }));
  await queues.notify.untilEmpty();
  expect(receivers.accepted.slack.length).toBeGreaterThan(before);
  expect((await lambda.invoke('notify', { test: true })).error).toBeUndefined();
}

/** The bus takes nothing, so that functions owe what they would tell. */
function refuseEvents(): void {
  const denied = { kind: 'error', code: 'AccessDeniedException', status: 400 } as const;
  sandbox.faults.set('events', 'PutEvents', denied, Number.POSITIVE_INFINITY);
}

const patience = { timeout: 30_000, interval: 100 };

/** What a person retires and what its sender gives up is let go, as if it had been said eight days ago; one
 *  is restored. */
async function letGo(): Promise<void> {
  const { lambda, httpApi, webhookSecret, faults, queues } = sandbox;
  const { vault } = sandbox.secretsManager;
  refuseEvents();
  const leaves = { name: 'leaves', domains: ['leaves.example.com'] };
  await postDomains(httpApi, leaves, webhookSecret);
  // The queue also has what failed before, and tries that again much later.
  const tagsOf = (name: string) => vault.mustFind(`${prefix}/certificates/${name}`).tags;
  await vi.waitFor(() => expect(tagsOf('leaves').has('certrelay:version')).toBe(true), patience);
  await vi.waitFor(() => expect(tagsOf('leaves').get('certrelay:owedEvents')).toContain('issued'), patience);
  faults.clear();
  const since = new Date(Date.now() - 8 * 86_400_000).toISOString();
  for (const [name, key, value] of [
    ['leaves', 'unregister', since],
    ['customer', 'retire', `retire/${since}/revoke`],
  ] as const) {
    if (key === 'retire') {
      const { error } = await lambda.invoke('retire', { certificates: [name], revoke: true });
      expect(error).toBeUndefined();
    } else expect((await callDomain(httpApi, 'DELETE', name, webhookSecret)).status).toBe(202);
    const secret = vault.mustFind(`${prefix}/certificates/${name}`);
    secret.replicas.add('eu-west-1');
    secret.setTags([[`certrelay:${key}`, value]]);
    await lambda.invoke('issue', { certificates: [name] });
    await vi.waitFor(() => expect(secret.deleted, name).toBeDefined(), patience);
  }
  expect((await callDomain(httpApi, 'GET', 'leaves', webhookSecret)).body).toMatchObject({ status: 'gone' });
  expect((await postDomains(httpApi, leaves, webhookSecret)).status).toBe(409);
  expect((await lambda.invoke('retire', {})).error).toBeUndefined();
  // A pass that retire has asked for, and that began before, would still ask to delete what is restored here.
  // A message that is left after ten seconds is one that waits for a later try.
  const asked = () => queues.issue.bodies().filter((body) => body.includes('"customer"'));
  await vi.waitFor(() => expect(asked()).toEqual([]), { timeout: 10_000 }).catch(() => undefined);
  expect((await lambda.invoke('retire', { restore: ['customer'] })).error).toBeUndefined();
}

/** A cluster does not answer for a while, and a value cannot be read. */
async function fallSilent(): Promise<void> {
  const { lambda, faults, secretsManager } = sandbox;
  const tags = () => [...secretsManager.vault.mustFind(`${prefix}/installation`).tags.keys()];
  for (const action of ['get secrets', 'list secrets'])
    faults.set('kubernetes', action, { kind: 'drop' }, Number.POSITIVE_INFINITY);
  await lambda.invoke('deploy', { clusters: ['lab'] });
  expect(tags()).toContain('certrelay:cluster/lab');
  faults.clear();
  const isCustomer = (resource: string) => resource.includes('/certificates/customer');
  const denied = { kind: 'error', code: 'AccessDeniedException', status: 400 } as const;
  faults.set('secretsmanager', 'GetSecretValue', denied, 1, isCustomer);
  await lambda.invoke('deploy', { certificates: ['customer'] });
  await lambda.invoke('deploy', { clusters: ['lab'] });
  expect(tags()).not.toContain('certrelay:cluster/lab');
}

/** A person knows of a trouble. */
async function acknowledgeSomething(): Promise<void> {
  const taken = sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/taken`);
  taken.setTags([['certrelay:tags-disagree', new Date().toISOString()]]);
  await sandbox.lambda.invoke('status', {});
  const request = { acknowledge: ['taken'], for: '1d', reason: 'we changed them' };
  expect((await sandbox.lambda.invoke('status', request)).error).toBeUndefined();
}

/** Others put tags on a certificate's secret, until it has so many. */
function crowd(name: string, count: number): void {
  const secret = sandbox.secretsManager.vault.mustFind(`${prefix}/certificates/${name}`);
  const missing = Math.max(0, count - secret.tags.size);
  secret.setTags(Array.from({ length: missing }, (_, index) => [`team:${count}-${index}`, 'x'] as const));
}

/** Takes over a certificate that an object has asked for. */
async function importDiscovered(): Promise<void> {
  const { vault } = sandbox.secretsManager;
  const issued = () =>
    vault.secrets.find(({ tags }) => tags.has('certrelay:place') && tags.has('certrelay:version'));
  await vi.waitFor(() => expect(issued()).toBeDefined(), { timeout: 30_000, interval: 100 });
  const certificate = issued()?.name.replace(`${prefix}/certificates/`, '') ?? '';
  const [notBefore, notAfter] = [new Date(Date.now() - 1000), new Date(Date.now() + 89 * 86_400_000)];
  const { chain, key } = await mintChain({ domains: ['mail.example.com'], notBefore, notAfter });
  await sandbox.keepSecrets({ [`${prefix}/import/${certificate}`]: chain + key });
  expect((await sandbox.lambda.invoke('import', { certificate })).error).toBeUndefined();
}

/** Somebody registers by hand, with a tag that says something else. */
async function tamper(): Promise<void> {
  const spec = {
    ...registered,
    name: 'spare',
    domains: ['spare.example.com'],
    issuer: 'default',
    targets: [],
  };
  const value = writeSpecification({ ...spec, key: 'ecdsa-p256', source: 'registration' });
  const name = `${prefix}/certificates/spare`;
  await sandbox.keepSecrets({ [name]: value });
  sandbox.secretsManager.vault.mustFind(name).setTags([
    ['certrelay:targets', 'others'],
    ['certrelay:grace-until', '2099-01-01T00:00:00Z'],
    ['certrelay:windowStart', '2099-01-01T00:00:00Z'],
  ]);
  crowd('spare', room);
  await sandbox.lambda.invoke('issue', { compare: true, certificates: ['spare'] });
}

/** The CA pauses a name. */
async function bePaused(): Promise<void> {
  const { settings } = sandbox.authority;
  settings.pausedNames.add('taken.example.com');
  const { error } = await sandbox.lambda.invoke('issue', { certificates: ['taken'], force: true });
  expect(error?.errorMessage).toContain('are paused for this account');
  settings.pausedNames.clear();
}

/** Asks for a certificate. */
const annotatedService = `
apiVersion: v1
kind: Service
metadata:
  name: mail
  namespace: edge
  annotations:
    certrelay.dev/tls: "true"
    certrelay.dev/domains: mail.example.com
    certrelay.dev/secret: mail-tls
spec: { ports: [{ port: 25 }] }
`;

/** Somebody imports a certificate for the name into ACM: under an ARN of its own where none is given. */
async function importByHand(name: string, arn?: string): Promise<void> {
  const [notBefore, notAfter] = [new Date(Date.now() - 1000), new Date(Date.now() + 86_400_000)];
  const { certificates, key } = await mintChain({ domains: [name], notBefore, notAfter });
  const [leaf = '', ...chain] = certificates;
  sandbox.acm.certificates.import(region, { leaf, chain: chain.join(''), key }, arn, new Map());
}

/** Puts right what somebody imported over a certificate of ours. */
async function driftInAcm(): Promise<void> {
  await sandbox.lambda.invoke('deploy', { targets: [`acm/${region}/taken`] });
  const { entries } = sandbox.acm.certificates;
  const ours = entries.find(
    ({ tags: carried }) => carried.get('certrelay:certificate') === `${prefix}/taken`,
  );
  expect(ours).toBeDefined();
  await importByHand('taken.example.com', ours?.arn);
  await sandbox.lambda.invoke('deploy', { targets: [`acm/${region}/taken`] });
}

/** What a person does by hand with what another tool left behind. */
async function takeOver(): Promise<void> {
  const notBefore = new Date(Date.now() - 86_400_000);
  const notAfter = new Date(Date.now() + 89 * 86_400_000);
  const [taken, other] = [
    await mintChain({ domains: ['taken.example.com'], notBefore, notAfter }),
    await mintChain({ domains: ['any.example.com'], notBefore, notAfter }),
  ];
  const [account, secret] = ['account', 'taken'].map((name) => `${prefix}/import/${name}`);
  const left = await mintChain({ domains: ['left.example.com'], notBefore, notAfter });
  sandbox.kubernetes.create({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'left-tls', namespace: 'edge' },
    type: 'kubernetes.io/tls',
    stringData: { 'tls.crt': left.chain, 'tls.key': left.key },
  });
  await sandbox.keepSecrets({ [`${account}`]: other.key, [`${secret}`]: taken.chain + taken.key });
  const events = [
    ['pause', { certificates: ['taken'] }],
    ['pause', { certificates: ['taken'], resume: true }],
    ['import', { certificate: 'taken' }],
    ['import', { from: { cluster: 'lab', namespace: 'edge', secret: 'left-tls' } }],
    ['import', { account: { issuer: 'default', secret: account } }],
    ...['tls', 'ployst', 'pem', 'combined-pem'].map(
      (format) => ['export', { certificates: ['taken'], format }] as const,
    ),
  ] as const;
  for (const [name, event] of events) {
    const { error } = await sandbox.lambda.invoke(name, event);
    expect(error, name).toBeUndefined();
  }
  // Signing in to a cluster of EKS is what counts here; nothing is left there by another tool.
  for (const cluster of ['prod', 'far']) {
    const event = { from: { cluster, namespace: 'edge', secret: 'left-tls' } };
    const { error } = await sandbox.lambda.invoke('import', event);
    expect(error?.errorMessage).toContain('has no Secret edge/left-tls');
  }
}

/** With the account gone, so that revoke makes one, as issue does. */
async function revoke(): Promise<void> {
  const { vault } = sandbox.secretsManager;
  for (const secret of vault.secrets) {
    if (secret.name.startsWith(`${prefix}/accounts/`)) vault.remove(secret);
  }
  crowd(registered.name, room - 1);
  const event = { certificate: registered.name, reason: 'superseded', replace: true, wait: 'none' };
  expect((await sandbox.lambda.invoke('revoke', event)).error).toBeUndefined();
}

const policyOf = (name: string): readonly Statement[] => sandbox.policies.get(name) ?? [];

function callsOf(principal: string): readonly Call[] {
  const aws = ['secretsmanager', 'route53', 'sqs', 'sts', 'eks', 'acm', 'events', 'sns'];
  return sandbox.journal.find({ principal }).filter(({ service }) => aws.includes(service));
}

describe.each(functions)('the role of %s', (name) => {
  it('Y10 allows every call that the function made, on the very resource', () => {
    const calls = callsOf(name);
    expect(calls.length).toBeGreaterThan(1);
    const denied = calls.flatMap(neededFor).filter((request) => !isAllowed(policyOf(name), request));
    expect(denied).toEqual([]);
    expect(calls.filter(({ status }) => status === 403)).toEqual([]);
  });

  it('Y10 allows no action that the function did not use', () => {
    const allowed = new Set(policyOf(name).flatMap(({ actions }) => actions));
    const used = new Set(
      callsOf(name)
        .flatMap(neededFor)
        .map(({ action }) => action),
    );
    const unused = [...allowed].filter((action) => !used.has(action) && !logging.includes(action));
    expect(unused.filter((action) => !unseen.includes(`${name} ${action}`))).toEqual([]);
  });
});

/** Keys of tags that functions sent with calls about such secrets, each without the number of a part. */
function tagsWritten(name: string, folder: string): ReadonlySet<string> {
  const about = callsOf(name)
    .flatMap(neededFor)
    .filter(({ resource }) => resource.includes(folder));
  const keys = about.flatMap(({ conditions }) => conditions?.['aws:TagKeys'] ?? []);
  return new Set(keys.map((key) => key.replace('certrelay:', '').replace(/\.\d+$/, '')));
}

it.each([
  [`${prefix}/certificates/`, certificateTags, 'edge'],
  [`${prefix}/installation`, installationTags, 'lab'],
])('each tag of %s that a role may write is written by its function', (folder, tags, cluster) => {
  // What revoke may write as issue does is written by the same code.
  const ordering = new Set([...tagsWritten('issue', folder), ...tagsWritten('revoke', folder)]);
  const unwritten = Object.entries(tags).flatMap(([tag, writers]) => {
    const key = tag.endsWith('/') ? `${tag}${cluster}` : tag;
    const isOfBoth = ['issue', 'revoke'].every((name) => writers.includes(name));
    return writers
      .filter((name) => !tagsWritten(name, folder).has(key))
      .filter((name) => !(isOfBoth && ['issue', 'revoke'].includes(name) && ordering.has(key)))
      .map((name) => `${name} ${tag}`);
  });
  expect(unwritten).toEqual([]);
});

it('what was put on the bus is as the published schemas say, of the AWS secret that there is', () => {
  const { events } = sandbox.eventBridge;
  for (const event of events) {
    const type = eventTypes.find((known) => known === event['detail-type']);
    if (!type) throw new Error(`nobody tells ${event['detail-type']}`);
    expect(eventSchemas[type].safeParse(event.detail).error, type).toBeUndefined();
    const arn = expect.stringMatching(/:secret:certrelay\/certificates\/.+-\w{6}$/);
    // A cluster or a function has none, nor has a certificate that waits for its first order without one.
    const { message } = event.detail as { readonly message: string };
    const isOfNone = type === 'Health Changed' || message.endsWith('not issued yet');
    expect(event.resources, type).toEqual(isOfNone ? [] : [arn]);
  }
  const told = new Set(events.map((event) => event['detail-type']));
  expect([...told]).toEqual(
    expect.arrayContaining([
      'Certificate Delivered',
      'Certificate Issued',
      'Certificate Registered',
      'Certificate Revoked',
    ]),
  );
});

it('Y10 the role that infra/dns-role.yaml makes in another account allows what was done by it there, and no more', async () => {
  const statements = await readDnsRole();
  const calls = callsOf('certrelay-dns');
  expect(calls.flatMap(neededFor).filter((request) => !isAllowed(statements, request))).toEqual([]);
  const allowed = statements.flatMap(({ actions }) => actions);
  expect(allowed.toSorted()).toEqual(
    [...new Set(calls.map(({ service, action }) => `${service}:${action}`))].toSorted(),
  );
  const ours = policyOf('issue').filter(({ actions }) => actions.some((one) => one.startsWith('route53:')));
  expect(statements).toEqual(ours);
});

/** A part of a service or of a secret's name, and the functions that have to do with it. */
const reserved: readonly (readonly [string, readonly (typeof functions)[number][]])[] = [
  ['route53', ['issue', 'revoke']],
  [zoneRole, ['issue', 'revoke']],
  [eksRole, ['deploy', 'discover', 'import']],
  ['eks ', ['deploy', 'discover', 'import']],
  ['/accounts/', ['issue', 'revoke', 'import']],
  ['/eab/', ['issue', 'revoke']],
  ['/signing-key', ['issue', 'revoke']],
  ['/import/', ['import']],
  ['/clusters/', ['deploy', 'discover', 'import']],
  ['/passwords/', ['deploy', 'export']],
  ['acm ', ['deploy']],
  ['events ', ['deploy', 'status']],
  ['/webhook', ['register']],
  ['/notify/', ['notify']],
  ['sns ', ['notify']],
];

it.each(reserved)('Y10 calls about %s are allowed to %j and to no other function', (part, owners) => {
  const calls = owners.map((owner) =>
    callsOf(owner).filter(({ service, resource }) => `${service} ${resource}`.includes(part)),
  );
  expect(calls.filter(({ length }) => length === 0)).toEqual([]);
  for (const name of functions.filter((candidate) => !owners.includes(candidate))) {
    const allowed = calls.flat().flatMap(neededFor);
    expect(
      allowed.filter((request) => isAllowed(policyOf(name), request)),
      name,
    ).toEqual([]);
  }
});
