// Secrets whose target was removed: they stay, and go only where the inventory says so and they are surely
// ours.
import { expect, test } from 'vitest';
import * as z from 'zod';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import {
  argoDefinition,
  argoRolloutOf,
  gatewayDefinitions,
  gatewayOf,
  grantOf,
  ingressOf,
  listenerSetDefinition,
  listenerSetOf,
} from '../contracts/kubernetes-kinds.ts';
import { workloadOf } from '../contracts/kubernetes-workloads.ts';
import { targetOf } from '../minting/targets.ts';
import type { SandboxKubernetes } from '../sandbox/kubernetes/server.ts';
import { bindingOf, type HarnessOptions, openHarness } from './harness.ts';

const kept = targetOf({ secret: 'kept-tls' });
const gone = targetOf({ secret: 'gone-tls' });

/** A Secret as somebody else makes it. */
interface CopiedSecret {
  readonly apiVersion: string;
  readonly kind: string;
  readonly type: string;
  readonly data: Readonly<Record<string, string>>;
  readonly metadata: object;
}

type MakeCopy = (harness: Awaited<ReturnType<typeof open>>, secret: CopiedSecret) => Promise<void>;

/** Delivered to both targets, of which one is then taken out of the inventory. */
async function open(prune?: true | readonly string[], wrap?: HarnessOptions['wrap']) {
  const namespaces = ['shop', 'front', 'other'];
  const harness = await openHarness({
    targets: [kept, gone],
    namespaces,
    ...(prune === undefined ? {} : { prune }),
    ...(wrap ? { wrap } : {}),
  });
  harness.lab.create(bindingOf('shop', 'certrelay-prune'));
  await harness.deploy();
  harness.targets([kept]);
  harness.calls();
  return harness;
}

test('a Secret whose target was removed stays where nothing says prune, and no list is asked for', async () => {
  const harness = await open();
  expect((await harness.deploy()).pruned).toEqual([]);
  expect(harness.secret('gone-tls')).toBeDefined();
  expect(harness.calls()).not.toContain('list secrets');
});

test('with prune it goes, the others stay, and the next run has nothing to do', async () => {
  const harness = await open(true);
  const dry = await harness.deploy({ dryRun: true });
  const subject = { certificate: 'shop', target: 'lab/shop/gone-tls' };
  expect(dry.pruned).toEqual([{ ...subject, outcome: 'planned', message: 'would delete the Secret' }]);
  expect(harness.secret('gone-tls')).toBeDefined();
  expect((await harness.deploy()).pruned).toEqual([
    { ...subject, outcome: 'deleted', message: 'Secret deleted' },
  ]);
  expect(harness.secret('gone-tls')).toBeUndefined();
  expect(harness.secret('kept-tls')).toBeDefined();
  expect((await harness.deploy()).pruned).toEqual([]);
});

test('a Secret whose annotation says so stays until that is taken away', async () => {
  const harness = await open(true);
  const annotate = (value: string | null) =>
    harness.admin.patch('/api/v1/namespaces/shop/secrets/gone-tls', {
      metadata: { annotations: { 'certrelay.dev/prune': value } },
    });
  await annotate('false');
  const { pruned, failures } = await harness.deploy();
  expect(pruned).toMatchObject([
    { outcome: 'kept', message: expect.stringContaining('certrelay.dev/prune: "false" keeps it') },
  ]);
  expect(failures.size).toBe(0);
  await annotate(null);
  expect((await harness.deploy()).pruned).toMatchObject([{ outcome: 'deleted' }]);
});

test('a Secret that somebody changes between the plan and its deletion stays, and the next run plans again', async () => {
  let disturb = async () => {};
  const harness = await open(true, (cluster) => ({
    ...cluster,
    async deleteSecret(...call) {
      await disturb();
      await cluster.deleteSecret(...call);
    },
  }));
  disturb = () =>
    harness.admin.patch('/api/v1/namespaces/shop/secrets/gone-tls', { metadata: { labels: { own: 'yes' } } });
  const { pruned, failures } = await harness.deploy();
  expect(pruned).toMatchObject([{ target: 'lab/shop/gone-tls', outcome: 'pending' }]);
  expect(failures.get('lab/shop/gone-tls')).toMatchObject([{ code: 'Conflict' }]);
  expect(harness.secret('gone-tls')).toBeDefined();
  disturb = async () => {};
  expect((await harness.deploy()).pruned).toMatchObject([{ outcome: 'deleted' }]);
});

test.for([
  ['certificates', { certificates: ['shop'] }],
  ['targets', { targets: ['lab/shop/kept-tls'] }],
] as const)('a run that names %s prunes nothing', async ([, request]) => {
  const harness = await open(true);
  expect((await harness.deploy(request)).pruned).toEqual([]);
  expect(harness.secret('gone-tls')).toBeDefined();
});

test('the Secrets of a certificate that left the inventory go in listed namespaces', async () => {
  const harness = await open(['shop']);
  harness.forget('shop');
  const { pruned } = await harness.deploy();
  expect(pruned.map(({ target }) => target)).toEqual(['lab/shop/gone-tls', 'lab/shop/kept-tls']);
});

test.for<[string, object]>([
  ['without our label', { labels: { 'app.kubernetes.io/managed-by': null } }],
  ['without our annotation', { annotations: { 'certrelay.dev/certificate': null } }],
  ['of a certificate that is not stored here', { annotations: { 'certrelay.dev/certificate': 'other' } }],
  [
    'of a version that is not stored here',
    { annotations: { 'certrelay.dev/version': 'version-of-another' } },
  ],
])('never a Secret %s', async ([, metadata]) => {
  const harness = await open(['shop']);
  await harness.admin.patch('/api/v1/namespaces/shop/secrets/gone-tls', { metadata });
  expect((await harness.deploy()).pruned).toEqual([]);
  expect(harness.secret('gone-tls')).toBeDefined();
});

/** Others' copies of what is in use, and ours with another certificate in it. */
test.for<[string, MakeCopy]>([
  ['made by a replicator', async ({ lab }, copied) => lab.create(copied)],
  [
    'made with the entry in managedFields that its model has',
    async ({ lab }, copied) => {
      const managedFields = lab.find('secrets', 'shop', 'kept-tls')?.metadata.managedFields;
      lab.create({ ...copied, metadata: { ...copied.metadata, managedFields } });
    },
  ],
  [
    'that was ours until others put their own certificate into it',
    async ({ admin }, { data }) => {
      const own = Object.fromEntries(Object.keys(data).map((key) => [key, 'b3RoZXI=']));
      await admin.patch('/api/v1/namespaces/shop/secrets/gone-tls', { data: own });
    },
  ],
])('never a Secret %s, and it is named', async ([what, make]) => {
  const harness = await open(['shop']);
  const model = harness.secret('kept-tls');
  if (!model) throw new Error('nothing was delivered');
  const { labels, annotations } = model.metadata;
  const metadata = { name: 'copy-tls', namespace: 'shop', labels, annotations };
  await make(harness, { apiVersion: 'v1', kind: 'Secret', type: model.type, data: model.data, metadata });
  const name = what.startsWith('that was ours') ? 'gone-tls' : 'copy-tls';
  const { pruned, failures } = await harness.deploy();
  expect(pruned.find(({ target }) => target === `lab/shop/${name}`)).toMatchObject({
    certificate: 'shop',
    outcome: 'kept',
    message: expect.stringContaining('it is a copy, or was restored from a backup. Delete it yourself'),
  });
  expect(failures.size).toBe(0);
  expect(harness.secret(name)).toBeDefined();
});

test('what a backup brought back is delivered to where it has a target, nothing restarts, and then it is ours again', async () => {
  const harness = await open(true);
  harness.addWorkload('Deployment', 'web', 'kept-tls');
  await harness.deploy({ targets: ['lab/shop/kept-tls'] });
  for (const name of ['kept-tls', 'gone-tls']) {
    const model = harness.secret(name);
    await harness.admin.remove(`/api/v1/namespaces/shop/secrets/${name}`);
    const { labels, annotations } = model?.metadata ?? {};
    const metadata = { name, namespace: 'shop', labels, annotations };
    harness.lab.create({ apiVersion: 'v1', kind: 'Secret', type: model?.type, data: model?.data, metadata });
  }
  const first = await harness.deploy();
  expect(first.certificates.flatMap(({ targets }) => targets)).toMatchObject([
    { target: 'lab/shop/kept-tls', outcome: 'delivered', action: 'apply', restarted: [] },
  ]);
  expect(first.pruned).toMatchObject([{ target: 'lab/shop/gone-tls', outcome: 'kept' }]);
  const second = await harness.deploy();
  expect(second.certificates.flatMap(({ targets }) => targets)).toMatchObject([{ outcome: 'unchanged' }]);
  const entries = harness.lab.find('secrets', 'shop', 'kept-tls')?.metadata.managedFields;
  expect(entries).toContainEqual(expect.objectContaining({ manager: 'certrelay', operation: 'Apply' }));
});

test('never a Secret whose certificate was registered by webhook and still has the target', async () => {
  const harness = await open(['shop']);
  const stored = await harness.store.read('shop', 'AWSCURRENT');
  if (stored?.value.kind !== 'certificate') throw new Error('nothing is stored');
  const spec: StoredSpec = {
    name: 'shop',
    domains: ['shop.example.com'],
    issuer: 'default',
    key: 'ecdsa-p256',
    targets: [gone],
    source: 'registration',
  };
  harness.forget('shop');
  await harness.store.put('shop', { ...stored.value.certificate, spec }, 'version-2');
  const { pruned } = await harness.deploy();
  expect(pruned.map(({ target }) => target)).toEqual(['lab/shop/kept-tls']);
  expect(harness.secret('gone-tls')).toBeDefined();
});

const pods = { volumes: [{ name: 'tls', secret: { secretName: 'gone-tls' } }] };
const deployment = workloadOf('Deployment', 'shop', { pod: pods }).body;
const metadata = { name: 'web', namespace: 'shop' };

const bare = { apiVersion: 'v1', kind: 'Pod', metadata, spec: { containers: [], ...pods } };
const podOf = (kind: string, apiVersion: string) => {
  const ownerReferences = [{ apiVersion, kind, name: 'web', uid: 'u', controller: true }];
  return { ...bare, metadata: { ...metadata, name: 'web-0', ownerReferences } };
};
const jobWith = (spec: object, status: object = {}) => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata,
  spec: { ...spec, template: { spec: bare.spec } },
  status,
});
const ownedController = {
  apiVersion: 'v1',
  kind: 'ReplicationController',
  metadata: { ...podOf('DeploymentConfig', 'apps.openshift.io/v1').metadata, name: 'web' },
  spec: { template: { spec: { containers: [] } } },
};

function annotated(object: object, annotations: Readonly<Record<string, string>>): object {
  return { ...object, metadata: { ...metadata, annotations } };
}

function withClientCertificate(gateway: object, name: string): object {
  const { spec } = z.object({ spec: z.looseObject({}) }).parse(gateway);
  return { ...gateway, spec: { ...spec, tls: { backend: { clientCertificateRef: { name } } } } };
}

test.for<[string, string, readonly object[]]>([
  ['a Deployment', 'Deployment web', [{ ...deployment, metadata }]],
  ['a bare Pod', 'Pod web', [bare]],
  ['a Pod of a kind that nobody knows', 'Kafka.strimzi.io web', [podOf('Kafka', 'strimzi.io/v1')]],
  ['a Pod of a Job', 'Job web', [podOf('Job', 'batch/v1')]],
  ['a Job that is suspended', 'Job web', [jobWith({ suspend: true })]],
  [
    'a Pod of a DeploymentConfig',
    'DeploymentConfig web',
    [podOf('ReplicationController', 'v1'), ownedController],
  ],
  [
    'a Pod of a Deployment that does not name it any more',
    'Deployment web',
    [{ ...workloadOf('Deployment', 'shop').body, metadata }, podOf('Deployment', 'apps/v1')],
  ],
  [
    'a Pod that pulls its image with it',
    'Pod web',
    [{ ...bare, spec: { containers: [], imagePullSecrets: [{ name: 'gone-tls' }] } }],
  ],
  [
    'a controller by its flag for the default certificate',
    'Pod web',
    [
      {
        ...bare,
        spec: {
          containers: [{ name: 'main', args: ['--default-ssl-certificate=$(POD_NAMESPACE)/gone-tls'] }],
        },
      },
    ],
  ],
  ['a Rollout of Argo', 'Rollout web', [argoDefinition, argoRolloutOf('shop', 'web', 'gone-tls')]],
  ['an Ingress', 'Ingress shop/web in cluster lab', [ingressOf('shop', 'web', 'gone-tls')]],
  [
    'an Ingress by an annotation',
    'Ingress shop/web in cluster lab',
    [
      annotated(ingressOf('shop', 'web', 'kept-tls'), {
        'nginx.ingress.kubernetes.io/auth-tls-secret': 'shop/gone-tls',
      }),
    ],
  ],
  [
    'a ListenerSet',
    'ListenerSet shop/web in cluster lab',
    [...gatewayDefinitions, listenerSetDefinition, listenerSetOf('shop', 'web', { name: 'gone-tls' })],
  ],
  [
    'a ListenerSet of another namespace that a ReferenceGrant lets in',
    'ListenerSet front/web in cluster lab',
    [
      ...gatewayDefinitions,
      listenerSetDefinition,
      bindingOf('front', 'certrelay-prune-gateways'),
      listenerSetOf('front', 'web', { name: 'gone-tls', namespace: 'shop' }),
      grantOf('shop', 'front', { from: 'ListenerSet' }),
    ],
  ],
  [
    'a Gateway that shows it to backends',
    'Gateway shop/web in cluster lab',
    [
      ...gatewayDefinitions,
      withClientCertificate(gatewayOf('shop', 'web', { name: 'kept-tls' }), 'gone-tls'),
    ],
  ],
  [
    'a Gateway',
    'Gateway shop/web in cluster lab',
    [...gatewayDefinitions, gatewayOf('shop', 'web', { name: 'gone-tls' })],
  ],
  [
    'a Gateway of another namespace that a ReferenceGrant lets in',
    'Gateway front/web in cluster lab',
    [
      ...gatewayDefinitions,
      bindingOf('front', 'certrelay-prune-gateways'),
      gatewayOf('front', 'web', { name: 'gone-tls', namespace: 'shop' }),
      grantOf('shop', 'front'),
    ],
  ],
])('a Secret that %s still uses stays, and the report names it and what to do', async ([, name, objects]) => {
  const harness = await open(true);
  for (const object of objects) harness.lab.create(object);
  const { pruned, failures } = await harness.deploy();
  const message = `no target names this Secret, but ${name} still uses it; use another Secret there, or add a target for this one again`;
  const report = { certificate: 'shop', target: 'lab/shop/gone-tls', outcome: 'kept', message };
  expect(pruned).toEqual([report]);
  expect(failures.size).toBe(0);
  expect(harness.secret('gone-tls')).toBeDefined();
});

test.for<[string, readonly object[]]>([
  ...['Succeeded', 'Failed'].map((phase): [string, readonly object[]] => [
    `a Pod that is over (${phase})`,
    [{ ...podOf('Job', 'batch/v1'), status: { phase } }],
  ]),
  ...['Complete', 'Failed'].map((type): [string, readonly object[]] => [
    `a Job that is over (${type})`,
    [jobWith({}, { conditions: [{ type, status: 'True' }] })],
  ]),
  ['an Ingress that names another Secret', [ingressOf('shop', 'web', 'kept-tls')]],
  ['an Ingress that names a Secret of its own namespace', [ingressOf('front', 'web', 'gone-tls')]],
  [
    'a Gateway that names a Secret of its own namespace',
    [gatewayOf('front', 'web', { name: 'gone-tls' }), grantOf('shop', 'front')],
  ],
  [
    'a Gateway that no ReferenceGrant lets in',
    [gatewayOf('front', 'web', { name: 'gone-tls', namespace: 'shop' })],
  ],
  [
    'a Gateway that a ReferenceGrant for ListenerSets is not about, or the other way round',
    [
      gatewayOf('front', 'web', { name: 'gone-tls', namespace: 'shop' }),
      grantOf('shop', 'front', { from: 'ListenerSet' }),
      listenerSetOf('other', 'web', { name: 'gone-tls', namespace: 'shop' }),
      grantOf('shop', 'other'),
    ],
  ],
  [
    'a Gateway that other ReferenceGrants are not about',
    [
      gatewayOf('front', 'web', { name: 'gone-tls', namespace: 'shop' }),
      grantOf('shop', 'front', { from: 'HTTPRoute' }),
      grantOf('shop', 'front', { to: 'Service' }),
      grantOf('shop', 'shop'),
    ],
  ],
])('a Secret does not stay for %s', async ([, objects]) => {
  const harness = await open(true);
  for (const namespace of ['front', 'other'])
    harness.lab.create(bindingOf(namespace, 'certrelay-prune-gateways'));
  for (const object of [...gatewayDefinitions, listenerSetDefinition, ...objects]) harness.lab.create(object);
  expect((await harness.deploy()).pruned).toMatchObject([
    { target: 'lab/shop/gone-tls', outcome: 'deleted' },
  ]);
});

const rolesPath = '/apis/rbac.authorization.k8s.io/v1/clusterroles';

test.for([
  ['ingresses', 'certrelay-prune', 'shop'],
  ['gateways', 'certrelay-prune', 'shop'],
  ['referencegrants', 'certrelay-prune', 'shop'],
  ['deployments', 'certrelay', 'shop'],
  ['cronjobs', 'certrelay', 'shop'],
  ['gateways', 'certrelay-prune-gateways', 'front'],
] as const)('where %s may not be listed by the role %s in namespace %s, nothing is pruned, and the missing rule is named', async ([
  resource,
  role,
  namespace,
]) => {
  const harness = await open(true);
  for (const definition of gatewayDefinitions) harness.lab.create(definition);
  harness.lab.create(grantOf('shop', 'front'));
  harness.lab.create(bindingOf('front', 'certrelay-prune-gateways'));
  await harness.admin.patch(`${rolesPath}/${role}`, { rules: withoutRule(harness.lab, role, resource) });
  const { pruned, failures } = await harness.deploy();
  expect(pruned).toMatchObject([
    {
      target: 'lab/shop/gone-tls',
      outcome: 'pending',
      message: expect.stringContaining(
        `add verb "list" on "${resource}" to the role that is bound to it in namespace ${namespace} `,
      ),
    },
  ]);
  expect(failures.get('lab/shop/gone-tls')).toHaveLength(1);
  expect(harness.secret('gone-tls')).toBeDefined();
});

test('a role of before, without a rule about ListenerSets, deletes as before in a cluster that has none', async () => {
  const harness = await open(true);
  for (const definition of gatewayDefinitions) harness.lab.create(definition);
  await forget(harness, 'listenersets');
  const { pruned, failures } = await harness.deploy();
  expect(pruned).toMatchObject([{ outcome: 'deleted' }]);
  expect(failures.size).toBe(0);
});

test('a role of before, without a rule about Jobs, deletes as before, and the report says that Jobs were not looked at', async () => {
  const harness = await open(true);
  await forget(harness, 'jobs');
  const remark = expect.stringMatching(
    /Secret.*; Jobs without a pod were not looked at: .*add verb "list" on "jobs" to the role/,
  );
  expect((await harness.deploy({ dryRun: true })).pruned).toMatchObject([
    { outcome: 'planned', message: remark },
  ]);
  const { pruned, failures } = await harness.deploy();
  expect(pruned).toMatchObject([{ outcome: 'deleted', message: remark }]);
  expect(failures.size).toBe(0);
});

test.for([
  ['own', 'certrelay-prune', 'shop'],
  ['another', 'certrelay-prune-gateways', 'front'],
] as const)('without the right to list ListenerSets in its %s namespace a Secret stays where there could be some, which is no failure', async ([
  ,
  role,
  namespace,
]) => {
  const harness = await open(true);
  for (const definition of [...gatewayDefinitions, listenerSetDefinition]) harness.lab.create(definition);
  harness.lab.create(bindingOf('front', 'certrelay-prune-gateways'));
  harness.lab.create(grantOf('shop', 'front', { from: 'ListenerSet' }));
  await forget(harness, 'listenersets', role);
  const { pruned, failures } = await harness.deploy();
  const message = expect.stringMatching(
    new RegExp(
      `^not deleted, because a ListenerSet may use it: .*add verb "list" on "listenersets" to the role that is bound to it in namespace ${namespace} `,
    ),
  );
  expect(pruned).toMatchObject([{ target: 'lab/shop/gone-tls', outcome: 'pending', message }]);
  expect(failures.size).toBe(0);
  expect(harness.log.lines).toContainEqual({
    level: 'warn',
    event: 'Secret not pruned',
    fields: { certificate: 'shop', target: 'lab/shop/gone-tls', problem: message },
  });
  expect(harness.secret('gone-tls')).toBeDefined();
});

/** Takes what a role says of one resource out of it. */
async function forget(
  { admin, lab }: Awaited<ReturnType<typeof open>>,
  resource: string,
  role = 'certrelay-prune',
): Promise<void> {
  await admin.patch(`${rolesPath}/${role}`, { rules: withoutRule(lab, role, resource) });
}

const roleRules = z.object({ rules: z.array(z.looseObject({ resources: z.array(z.string()) })) });

/** The role's rules, but for what they say of one resource. */
function withoutRule(lab: SandboxKubernetes, role: string, resource: string): readonly object[] {
  const { rules } = roleRules.parse(lab.find('clusterroles', '', role));
  return rules.map((rule) => ({ ...rule, resources: rule.resources.filter((one) => one !== resource) }));
}

test('without the right to list Secrets, the missing rule is named, and what has targets is delivered all the same', async () => {
  const harness = await openHarness({ targets: [kept], prune: true });
  const { certificates, pruned, failures } = await harness.deploy();
  expect(certificates).toMatchObject([{ decision: 'delivered' }]);
  expect(pruned).toMatchObject([
    { target: 'lab/shop', outcome: 'pending', message: expect.stringContaining('verb "list" on "secrets"') },
  ]);
  expect([...failures.keys()]).toEqual(['lab/shop']);
});

test('a namespace that may not be looked at does not keep the others from being pruned', async () => {
  const harness = await open(['front', 'shop']);
  expect((await harness.deploy()).pruned).toMatchObject([
    { target: 'lab/front', outcome: 'pending' },
    { target: 'lab/shop/gone-tls', outcome: 'deleted' },
  ]);
});

test('a pass with nothing to prune costs one list a namespace, and the connection that it delivers by', async () => {
  const harness = await openHarness({ targets: [kept, gone], prune: true });
  harness.lab.create(bindingOf('shop', 'certrelay-prune'));
  await harness.deploy();
  harness.calls();
  const before = harness.lab.connections();
  expect((await harness.deploy()).pruned).toEqual([]);
  expect(harness.calls()).toEqual(['get secrets', 'get secrets', 'list secrets']);
  expect(harness.lab.connections() - before).toBe(1);
});

test('what may use Secrets is listed once for all those that lost their target', async () => {
  const harness = await open(['shop']);
  harness.forget('shop');
  await harness.deploy();
  const lists = harness.calls().filter((call) => call.startsWith('list '));
  expect(lists).toContain('list ingresses');
  expect(lists).toEqual([...new Set(lists)]);
});
