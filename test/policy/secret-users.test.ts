// Who uses Secrets, as far as pods, their owners and templates tell.
import { expect, test } from 'vitest';
import type { ObjectOwner, OtherUser, Workload } from '../../lib/policy/kubernetes/objects.ts';
import { findOtherUsers, findUsersOfPods, nameUser } from '../../lib/policy/kubernetes/secret-users.ts';
import { workloadFacts } from '../minting/workloads.ts';

const uses = { secrets: ['tls'], fixed: [] };
const nothing = { secrets: [], fixed: [] };
const of = (group: string, kind: string, name: string): ObjectOwner => ({ group, kind, name });
const pod = (name: string, owner?: ObjectOwner): OtherUser => ({ kind: 'Pod', name, owner, ...uses });
const web = of('apps', 'Deployment', 'web');
const webRevision = of('apps', 'ReplicaSet', 'web-1');
const workload = workloadFacts(uses);

const byUsing = [
  pod('bare'),
  pod('web-1-a', webRevision),
  { kind: 'ReplicaSet', name: 'web-1', owner: web, ...uses },
  pod('db-0', of('apps', 'StatefulSet', 'db')),
  pod('canary-1-a', of('apps', 'ReplicaSet', 'canary-1')),
  { kind: 'ReplicaSet', name: 'canary-1', owner: of('argoproj.io', 'Rollout', 'canary'), ...uses },
  pod('shop-1-a', of('', 'ReplicationController', 'shop-1')),
  {
    kind: 'ReplicationController',
    name: 'shop-1',
    owner: of('apps.openshift.io', 'DeploymentConfig', 'shop'),
    ...uses,
  },
  pod('import-a', of('batch', 'Job', 'import')),
  pod('events-0', of('kafka.strimzi.io', 'Kafka', 'events')),
  pod('events-1', of('kafka.strimzi.io', 'Kafka', 'events')),
  pod('lost-1-a', of('apps', 'ReplicaSet', 'lost-1')),
  { kind: 'CronJob', name: 'nightly', ...uses },
  { kind: 'ReplicaSet', name: 'alone', ...uses },
  pod('alone-a', of('apps', 'ReplicaSet', 'alone')),
] as const satisfies readonly OtherUser[];

const named = (users: readonly ObjectOwner[]) => users.map(nameUser);

test('each user of a Secret is named once, by its topmost owner that is known', () => {
  expect(named(findUsersOfPods(byUsing))).toEqual([
    'Pod bare',
    'Deployment web',
    'StatefulSet db',
    'Rollout canary',
    'DeploymentConfig shop',
    'Job import',
    'Kafka.kafka.strimzi.io events',
    'ReplicaSet lost-1',
    'CronJob nightly',
    'ReplicaSet alone',
  ]);
});

test('a Rollout that is listed is named only with Secrets that its template does not have', () => {
  const canary = { ...workload, kind: 'Rollout', name: 'canary' } as const;
  const listed = [pod('canary-1-a', of('apps', 'ReplicaSet', 'canary-1')), ...byUsing.slice(5, 6)];
  expect(named(findOtherUsers(byUsing, [canary]))).not.toContain('Rollout canary');
  expect(named(findOtherUsers(listed, [{ ...canary, ...uses }]))).toEqual([]);
  const added = [listed[0], { ...byUsing[5], ...nothing }].filter((user) => user !== undefined);
  expect(named(findOtherUsers(added, [{ ...canary, ...nothing }]))).toEqual(['Rollout canary']);
  const referring = { ...canary, ...nothing, container: '' };
  expect(named(findOtherUsers(listed, [referring]))).toEqual(['Rollout canary']);
});

test('of those, what Certrelay restarts itself is no other user; of a ReplicaSet that was not listed that is not known', () => {
  const statefulSet = { ...workload, kind: 'StatefulSet', name: 'db' } as const;
  expect(named(findOtherUsers(byUsing, [workload, statefulSet]))).toEqual([
    'Pod bare',
    'Rollout canary',
    'DeploymentConfig shop',
    'Job import',
    'Kafka.kafka.strimzi.io events',
    'CronJob nightly',
    'ReplicaSet alone',
  ]);
});

test.for<[string, Partial<Workload>, OtherUser, readonly string[]]>([
  [
    'its pods have from its template',
    uses,
    { kind: 'ReplicaSet', name: 'web-1', owner: web, ...nothing },
    [],
  ],
  [
    'its pods have from an earlier template',
    nothing,
    { kind: 'ReplicaSet', name: 'web-1', owner: web, ...uses },
    [],
  ],
  [
    'something adds to its pods',
    nothing,
    { kind: 'ReplicaSet', name: 'web-1', owner: web, ...nothing },
    ['Deployment web'],
  ],
])('a Deployment with a Secret that %s', ([, template, revision, expected]) => {
  const pods = pod('web-1-a', webRevision);
  expect(named(findOtherUsers([pods, revision], [{ ...workload, ...template }]))).toEqual(expected);
});

test('a template without pods counts for its owner only if the owner has no template that is listed', () => {
  const template = (owner: ObjectOwner): OtherUser => ({
    kind: 'ReplicaSet',
    name: owner.name,
    owner,
    ...uses,
  });
  const revisions = [template(web), template(of('argoproj.io', 'Rollout', 'canary'))];
  expect(findUsersOfPods(revisions)).toEqual([]);
  const operated = template(of('example.com', 'Site', 'front'));
  expect(named(findUsersOfPods([operated]))).toEqual(['Site.example.com front']);
  expect(named(findOtherUsers([operated], []))).toEqual([]);
});

test('a Job counts by its own template, for the CronJob that it is of', () => {
  const owner = of('batch', 'CronJob', 'nightly');
  const suspended: OtherUser = { kind: 'Job', name: 'nightly-1', owner, ...uses };
  const listed: readonly OtherUser[] = [{ kind: 'CronJob', name: 'nightly', ...nothing }, suspended];
  expect(findUsersOfPods(listed)).toMatchObject([{ ...owner, secrets: ['tls'] }]);
});

test('what the pods of one owner use is put together', () => {
  const owner = of('batch', 'Job', 'import');
  const pods: readonly OtherUser[] = [
    { kind: 'Pod', name: 'a', owner, secrets: ['a', 'tls'], fixed: ['a'] },
    { kind: 'Pod', name: 'b', owner, secrets: ['tls'], fixed: ['tls'], mentioned: ['registry'] },
  ];
  expect(findUsersOfPods(pods)).toEqual([
    { ...owner, secrets: ['a', 'tls'], fixed: ['a', 'tls'], mentioned: ['registry'] },
  ]);
});

test('owners that own each other have an end', () => {
  const [a, b] = [of('apps', 'ReplicaSet', 'a'), of('apps', 'ReplicaSet', 'b')];
  const circle: readonly OtherUser[] = [
    pod('x', a),
    { kind: 'ReplicaSet', name: 'a', owner: b, ...nothing },
    { kind: 'ReplicaSet', name: 'b', owner: a, ...nothing },
  ];
  expect(findUsersOfPods(circle)).toHaveLength(1);
});
