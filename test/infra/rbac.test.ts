// What `npm run rbac` prints: enough for all that the inventory has Certrelay do in a cluster, and nothing
// that is not used.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { describeRoles } from '../../infra/inventory/rbac.ts';
import { connectDirectory } from '../../lib/adapters/kubernetes/directory.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { isSecretTarget } from '../../lib/certificate/spec.ts';
import { discoverCertificates } from '../../lib/discover/discover.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { argoDefinition, gatewayDefinitions, listenerSetDefinition } from '../contracts/kubernetes-kinds.ts';
import { bindingOf, codesOf, type Harness, openHarness, targetsOf } from '../deploy/harness.ts';

const head = `
issuers:
  default: { directory: letsencrypt-staging, agreeToTerms: true }
clusters:
  lab: { kubeconfig: { secret: certrelay/clusters/lab } }
  edge: { agent: true }
`;

function read(text: string) {
  const parsed = parseInventory(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory;
}

const withTargets = (...targets: readonly string[]) =>
  read(`${head}
certificates:
  - name: shop
    domains: [shop.example.com]
    targets: [${targets.map((target) => `{ cluster: lab, namespace: shop, ${target} }`).join(', ')}]
`);

interface Printed {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly rules?: readonly {
    readonly apiGroups: readonly string[];
    readonly resources: readonly string[];
    readonly resourceNames?: readonly string[];
    readonly verbs: readonly string[];
  }[];
  readonly subjects?: readonly object[];
}

const parse = (text: string) =>
  parseAllDocuments(text)
    .map((document): Printed | null => document.toJS())
    .filter((document) => document !== null);

/** `get secrets`, and so on: all that the roles allow. */
const allowed = (text: string) =>
  new Set(
    parse(text).flatMap(({ rules = [] }) =>
      rules.flatMap(({ verbs, resources }) =>
        resources.flatMap((resource) => verbs.map((verb) => `${verb} ${resource}`)),
      ),
    ),
  );

function openFor(inventory: ReturnType<typeof read>, prune?: true): Promise<Harness> {
  const roles = describeRoles(['lab', '--user', 'certrelay'], inventory);
  const targets = inventory.certificates.flatMap((one) => one.targets).filter(isSecretTarget);
  return openHarness({ targets, roles, namespaces: ['shop', 'other'], ...(prune ? { prune } : {}) });
}

test('a whole delivery with restarts, and one that makes a Secret again, need no more than is printed, and all of it', async () => {
  const inventory = withTargets('secret: shop-tls', 'secret: proxy-certs, format: ployst, replace: true');
  const harness = await openFor(inventory);
  for (const definition of [argoDefinition]) harness.lab.create(definition);
  harness.addWorkload('Deployment', 'web', 'shop-tls');
  const labels = { 'app.kubernetes.io/managed-by': 'certrelay' };
  const metadata = { name: 'proxy-certs', namespace: 'shop', labels };
  harness.lab.create({
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    data: { 'tls.crt': '', 'tls.key': '' },
    metadata,
  });
  const report = await harness.deploy();
  expect(codesOf(report)).toEqual([]);
  expect(targetsOf(report)).toMatchObject([
    { outcome: 'delivered', action: 'create', restarted: ['Deployment web'] },
    { outcome: 'delivered', action: 'replace' },
  ]);
  await harness.issue('shop', 'version-2');
  expect(targetsOf(await harness.deploy())).toMatchObject([{ action: 'apply' }, { action: 'apply' }]);
  const used = new Set([...harness.calls(), 'create secrets']);
  // Which kind a workload has is not known before.
  const unknown = ['patch statefulsets', 'patch daemonsets'];
  const printed = describeRoles(['lab'], inventory);
  expect([...allowed(printed)].filter((one) => !used.has(one)).toSorted()).toEqual(unknown.toSorted());
});

test('another Secret and another namespace than the printed ones are forbidden', async () => {
  const inventory = withTargets('secret: shop-tls, restart: none');
  const harness = await openFor(inventory);
  const [target] = inventory.certificates.flatMap((one) => one.targets).filter(isSecretTarget);
  if (!target) throw new Error('there is a target');
  harness.targets([
    target,
    { ...target, secret: 'foreign-tls' },
    { ...target, namespace: 'other' },
    { ...target, restart: 'auto', secret: 'shop-tls' },
  ]);
  const report = await harness.deploy();
  expect(targetsOf(report).map(({ outcome }) => outcome)).toEqual([
    'delivered',
    'pending',
    'pending',
    'pending',
  ]);
  expect(codesOf(report)).toEqual(expect.arrayContaining(['Forbidden']));
  expect(harness.secret('foreign-tls')).toBeUndefined();
  expect(harness.secret('shop-tls', 'lab', 'other')).toBeUndefined();
});

test('five targets in a namespace are looked at with one list, and prune finds, judges and deletes with what is printed', async () => {
  const names = Array.from({ length: 5 }, (_, index) => `secret: tls-${index}, restart: none`);
  const inventory = withTargets(...names);
  expect(allowed(describeRoles(['lab'], inventory))).toEqual(
    new Set(['get secrets', 'patch secrets', 'create secrets', 'list secrets']),
  );
  const pruning = {
    ...inventory,
    clusters: { lab: { kubeconfig: { secret: 'lab' }, prune: true as const } },
  };
  const harness = await openFor(pruning, true);
  for (const definition of [...gatewayDefinitions, listenerSetDefinition, argoDefinition])
    harness.lab.create(definition);
  await harness.deploy();
  harness.calls();
  await harness.deploy();
  expect(harness.calls()).toEqual(['list secrets', 'list secrets']);
  harness.targets(inventory.certificates.flatMap((one) => one.targets).slice(1));
  const { pruned, failures } = await harness.deploy();
  expect(failures.size).toBe(0);
  expect(pruned).toMatchObject([{ target: 'lab/shop/tls-0', outcome: 'deleted' }]);
  const used = new Set([...harness.calls(), 'get secrets', 'patch secrets', 'create secrets']);
  expect([...allowed(describeRoles(['lab'], pruning))].filter((one) => !used.has(one))).toEqual([]);
});

test('discover may look where the inventory says, and what it finds may be delivered there', async () => {
  const inventory = read(`${head}
discovery:
  places: [lab/shop]
  zones: [example.com]
`);
  const printed = describeRoles(['lab', '--user', 'certrelay'], inventory);
  const harness = await openHarness({ targets: [], roles: printed, namespaces: ['shop'] });
  const { clock, log, store, lab } = harness;
  for (const definition of gatewayDefinitions) lab.create(definition);
  const access = readKubeconfig('lab', lab.kubeconfig('certrelay'));
  const connect = async () => connectDirectory({ name: 'lab', access, clock, log });
  const register = async () => ({ kind: 'accepted', name: 'shop', domains: [] }) as const;
  const signal = AbortSignal.timeout(30_000);
  const report = await discoverCertificates(
    { connect, register, store, clock, log },
    { id: 'r1', inventory, signal },
  );
  expect(report.failures).toEqual([]);
  const looked = harness.calls();
  expect(looked).toEqual(expect.arrayContaining(['list ingresses', 'list gateways', 'list services']));
  const own = allowed(printed);
  expect(looked.filter((call) => !own.has(call))).toEqual([]);
  expect(own).toContain('patch secrets');
  expect(printed).not.toContain('resourceNames');
});

test('workloads that are named are the only ones that may be patched, and without restarts none may even be listed', () => {
  const restart = '[Deployment/web, Deployment/api, StatefulSet/db]';
  const [role] = parse(describeRoles(['lab'], withTargets(`secret: shop-tls, restart: ${restart}`)));
  expect(role?.rules).toEqual([
    {
      apiGroups: [''],
      resources: ['secrets'],
      resourceNames: ['shop-tls'],
      verbs: ['get', 'patch', 'create'],
    },
    { apiGroups: ['apps'], resources: ['deployments'], verbs: ['list'] },
    { apiGroups: ['apps'], resources: ['deployments'], resourceNames: ['api', 'web'], verbs: ['patch'] },
    { apiGroups: ['apps'], resources: ['statefulsets'], verbs: ['list'] },
    { apiGroups: ['apps'], resources: ['statefulsets'], resourceNames: ['db'], verbs: ['patch'] },
  ]);
  const [quiet] = parse(describeRoles(['lab'], withTargets('secret: shop-tls, restart: none')));
  expect(quiet?.rules?.map(({ resources }) => resources)).toEqual([['secrets']]);
});

test('a Rollout of Argo may be patched only if it is named, or all of them are asked for', () => {
  const argoRulesOf = (restart: string, ...args: readonly string[]) =>
    parse(describeRoles(['lab', ...args], withTargets(`secret: shop-tls, restart: ${restart}`)))
      .flatMap(({ rules = [] }) => rules)
      .filter(({ apiGroups }) => apiGroups.includes('argoproj.io'));
  const rule = { apiGroups: ['argoproj.io'], resources: ['rollouts'] };
  const list = { ...rule, verbs: ['list'] };
  expect(argoRulesOf('auto')).toEqual([list]);
  expect(argoRulesOf('auto', '--argo-rollouts')).toEqual([list, { ...rule, verbs: ['patch'] }]);
  const named = [list, { ...rule, resourceNames: ['web'], verbs: ['patch'] }];
  expect(argoRulesOf('[Rollout/web]')).toEqual(named);
  expect(argoRulesOf('[Rollout/web]', '--argo-rollouts'), 'nothing else is restarted').toEqual(named);
  expect(argoRulesOf('none', '--argo-rollouts')).toEqual([]);
});

test('senders to the webhook may name any Secret of its namespaces, and restart what it lets them', () => {
  const registration = (restarts: string) => `${head}
registration:
  zones: [example.com]
  restarts: ${restarts}
  targets: [{ cluster: lab, namespace: front, secret: "{name}-tls", restart: none }]
`;
  const [quiet] = parse(describeRoles(['lab'], read(registration('[none]'))));
  expect(quiet?.rules).toEqual([
    { apiGroups: [''], resources: ['secrets'], verbs: ['get', 'patch', 'create'] },
  ]);
  const printed = describeRoles(['lab'], read(registration('[auto]')));
  expect([...allowed(printed)]).toContain('patch deployments');
});

test('nobody is bound unless somebody is named, and infra/rbac.yaml binds nobody', () => {
  const inventory = withTargets('secret: shop-tls');
  const subjectsOf = (...args: readonly string[]) =>
    parse(describeRoles(args, inventory)).flatMap(({ kind, subjects }) =>
      kind === 'RoleBinding' ? [subjects] : [],
    );
  expect(subjectsOf('lab')).toEqual([[]]);
  expect(subjectsOf('lab', '--user', 'certrelay')).toEqual([
    [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'certrelay' }],
  ]);
  expect(subjectsOf('--service-account', 'certrelay/certrelay-agent')).toEqual([
    [{ kind: 'ServiceAccount', name: 'certrelay-agent', namespace: 'certrelay' }],
  ]);
  const shipped = parse(readFileSync(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8'));
  expect(shipped.map(({ kind }) => kind)).toEqual(shipped.map(() => 'ClusterRole'));
});

test.each<[readonly string[], RegExp]>([
  [['prod'], /has no cluster "prod"; it has lab, edge/],
  [['lab', 'edge'], /one cluster or none/],
  [['--user', 'a', '--service-account', 'b/c'], /not both/],
  [['--service-account', 'certrelay'], /must be <namespace>\/<name>/],
  [['--user', ''], /--user must be/],
  [['--typo'], /Unknown option/],
])('%j is refused with what to correct', (args, problem) => {
  expect(() => describeRoles(args, withTargets('secret: shop-tls'))).toThrow(problem);
});

test('bindings to the roles of infra/rbac.yaml go on to be good for all that they were good for', async () => {
  const harness = await openFor(withTargets('secret: shop-tls'));
  const rbac = readFileSync(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8');
  harness.lab.create(rbac);
  harness.lab.create(bindingOf('other', 'certrelay'));
  const [target] = withTargets('secret: shop-tls').certificates.flatMap((one) => one.targets);
  if (!target || !isSecretTarget(target)) throw new Error('there is a target');
  harness.targets([{ ...target, namespace: 'other' }]);
  expect(targetsOf(await harness.deploy())).toMatchObject([{ outcome: 'delivered' }]);
});
