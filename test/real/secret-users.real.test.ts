// What uses a Secret without a target, on a real control plane: pods of owners that nobody knows, and the
// Gateway API's own definitions.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import {
  createDefined,
  gatewayGroup,
  gatewayOf,
  grantOf,
  listenerSetOf,
} from '../contracts/kubernetes-kinds.ts';
import { bindingOf } from '../deploy/harness.ts';
import { targetOf } from '../minting/targets.ts';
import { type DeliveryHarness, openDeliveryHarness, rbacPath } from './delivery-harness.ts';
import { kubernetesParts, missing, mustLocate } from './parts/locate.ts';

const absent = missing([...kubernetesParts, 'gateway-api']);
const kept = targetOf({ secret: 'kept-tls', restart: 'none' });
const rolePath = `${rbacPath}/clusterroles/certrelay-prune`;
const podsPath = '/api/v1/namespaces/shop/pods';
const gatewayPath = (version: string, namespace: string, plural: string) =>
  `/apis/${gatewayGroup}/${version}/namespaces/${namespace}/${plural}`;

if (absent.length > 0) {
  test.todo(`what uses a Secret in a real cluster: run test/real/install ${absent.join(' ')}`);
} else {
  describe('what uses a Secret in a real cluster, as a user bound to nothing but infra/rbac.yaml', () => {
    let harness: DeliveryHarness;
    let rules: readonly { readonly resources: readonly string[] }[];

    beforeAll(async () => {
      harness = await openDeliveryHarness();
      const { admin } = harness;
      const front = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'front' } };
      await admin.create('/api/v1/namespaces', front);
      for (const [namespace, role] of [
        ['shop', 'certrelay-prune'],
        ['front', 'certrelay-prune-gateways'],
      ] as const) {
        const path = `${rbacPath}/namespaces/${namespace}/rolebindings`;
        await admin.create(path, bindingOf(namespace, role));
      }
      const role = await admin.get(rolePath);
      if (!Array.isArray(role.rules)) throw new Error('the role has no rules');
      rules = role.rules;
      await harness.issue('version-1');
    }, 60_000);
    afterAll(() => harness.close());

    const prune = () => harness.deploy(kept, {}, { prune: true });
    /** Delivers Secrets with these names, whose targets are gone by the next call of `prune`. */
    const deliver = async (...names: readonly string[]) => {
      const targets = names.map((secret) => targetOf({ secret, restart: 'none' }));
      expect((await harness.deploy([kept, ...targets])).failures.size).toBe(0);
    };
    const setRules = (without?: string) =>
      harness.admin.patch(rolePath, {
        rules: rules.map((rule) => ({
          ...rule,
          resources: rule.resources.filter((resource) => resource !== without),
        })),
      });
    const describeUser = (name: string, user: string | undefined) => {
      const target = `lab/shop/${name}`;
      if (user === undefined) return { target, outcome: 'deleted' };
      return { target, outcome: 'kept', message: expect.stringContaining(`but ${user} still uses it; `) };
    };

    test('a role of before, without a rule about ListenerSets, prunes as before in a cluster without Gateways', async () => {
      await setRules('listenersets');
      await deliver('early-tls');
      await expect
        .poll(async () => (await prune()).pruned)
        .toMatchObject([describeUser('early-tls', undefined)]);
    });

    test('pods of a kind that the cluster does not even know keep a Secret, and those of a Job; a pod that is over does not', async () => {
      await deliver('job-tls', 'kafka-tls', 'over-tls');
      const owner = {
        apiVersion: 'strimzi.io/v1',
        kind: 'Kafka',
        name: 'events',
        uid: 'u',
        controller: true,
      };
      await harness.admin.create(podsPath, podOf('events-0', 'kafka-tls', [owner]));
      await harness.admin.create(podsPath, podOf('done', 'over-tls'));
      const { spec } = podOf('import', 'job-tls');
      await harness.admin.create('/apis/batch/v1/namespaces/shop/jobs', {
        apiVersion: 'batch/v1',
        kind: 'Job',
        metadata: { name: 'import' },
        // No node has it, so the pod is never over.
        spec: { template: { spec: { ...spec, nodeSelector: { disk: 'none' } } } },
      });
      await expect
        .poll(async () => (await harness.admin.get(`${podsPath}/done`)).status)
        .toMatchObject({ phase: 'Running' });
      await harness.admin.patch(`${podsPath}/done/status`, { status: { phase: 'Succeeded' } });
      await expect
        .poll(
          async () => (await harness.admin.get(podsPath.concat('?labelSelector=job-name%3Dimport'))).items,
        )
        .toHaveLength(1);
      const { pruned, failures } = await prune();
      expect(failures.size).toBe(0);
      expect(pruned).toMatchObject([
        describeUser('job-tls', 'Job import'),
        describeUser('kafka-tls', 'Kafka.strimzi.io events'),
        describeUser('over-tls', undefined),
      ]);
    });

    test('from the Gateway API on, that role leaves what a ListenerSet may use, which is no failure', async () => {
      await deliver('client-tls', 'far-tls', 'near-tls', 'strange-tls');
      await createGatewayObjects();
      const own = ['job-tls', 'kafka-tls'].map((name) => ({ target: `lab/shop/${name}`, outcome: 'kept' }));
      const { pruned, failures } = await prune();
      expect(failures.size).toBe(0);
      expect(pruned).toMatchObject([
        describeUser('client-tls', 'Gateway shop/web in cluster lab'),
        describeUser('far-tls', 'ListenerSet front/more in cluster lab'),
        ...own,
        describeUnseen('near-tls'),
        describeUnseen('strange-tls'),
      ]);
    });

    test('with the rule each ListenerSet that a grant of its own lets in is named, and the rest goes', async () => {
      await setRules();
      const own = ['job-tls', 'kafka-tls'].map((name) => ({ target: `lab/shop/${name}`, outcome: 'kept' }));
      await expect
        .poll(async () => (await prune()).pruned)
        .toMatchObject([
          describeUser('client-tls', 'Gateway shop/web in cluster lab'),
          describeUser('far-tls', 'ListenerSet front/more in cluster lab'),
          ...own,
          describeUser('near-tls', 'ListenerSet shop/more in cluster lab'),
          describeUser('strange-tls', undefined),
        ]);
    });

    /** A Gateway of `front` names a Secret that only ListenerSets of `front` may use. */
    async function createGatewayObjects(): Promise<void> {
      const text = await readFile(mustLocate('gateway-api'), 'utf8');
      const web = gatewayOf('shop', 'web', { name: 'kept-tls' });
      const tls = { backend: { clientCertificateRef: { name: 'client-tls' } } };
      const grant = grantOf('shop', 'front', { from: 'ListenerSet' });
      const far = (name: string) => ({ name, namespace: 'shop' });
      const sets = (namespace: string) => gatewayPath('v1', namespace, 'listenersets');
      await createDefined(
        harness.admin,
        parseAllDocuments(text).map((document) => document.toJS()),
        [
          [gatewayPath('v1', 'shop', 'gateways'), { ...web, spec: { ...web.spec, tls } }],
          [gatewayPath('v1', 'front', 'gateways'), gatewayOf('front', 'web', far('strange-tls'))],
          [sets('shop'), listenerSetOf('shop', 'more', { name: 'near-tls' })],
          [sets('front'), listenerSetOf('front', 'more', far('far-tls'))],
          [gatewayPath('v1beta1', 'shop', 'referencegrants'), grant],
        ],
      );
    }
  });
}

function podOf(name: string, secretName: string, ownerReferences: readonly object[] = []) {
  const container = { name: 'main', image: 'registry.invalid/main:1' };
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, ownerReferences },
    spec: {
      containers: [container],
      restartPolicy: 'Never',
      volumes: [{ name: 'tls', secret: { secretName } }],
    },
  };
}

function describeUnseen(name: string): object {
  const message = expect.stringMatching(
    /^not deleted, because a ListenerSet may use it: .*add verb "list" on "listenersets"/,
  );
  return { target: `lab/shop/${name}`, outcome: 'pending', message };
}
