// What a real cluster's admission makes of a Secret: webhooks that change it, quotas and policies that refuse
// it.
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { bindingOf, only } from '../deploy/harness.ts';
import { targetOf } from '../minting/targets.ts';
import { type DeliveryHarness, openDeliveryHarness, rbacPath } from './delivery-harness.ts';
import { kubernetesParts, missing } from './parts/locate.ts';
import { type MutatingWebhook, type PatchOperation, startMutatingWebhook } from './parts/mutating-webhook.ts';

const absent = missing(kubernetesParts);
const secretPath = '/api/v1/namespaces/shop/secrets/shop-tls';
const label = '/metadata/labels/app.kubernetes.io~1managed-by';

if (absent.length > 0) {
  test.todo(`admission of a real cluster: run test/real/install ${absent.join(' ')}`);
} else {
  describe('a Secret that a webhook changes on its way into a real cluster', () => {
    let harness: DeliveryHarness;
    let webhook: MutatingWebhook;

    beforeAll(async () => {
      [harness, webhook] = await Promise.all([openDeliveryHarness(), startMutatingWebhook()]);
      await harness.addWorkload('Deployment', 'web');
      const roles = `${rbacPath}/namespaces/shop/rolebindings`;
      await harness.admin.create(roles, bindingOf('shop', 'certrelay-replace'));
      const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
      await harness.admin.create(path, webhook.configurationFor('shop'));
      const probe = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'probe' } };
      // The server takes a moment to see a webhook.
      const isAsked = async () => {
        await harness.admin.create('/api/v1/namespaces/shop/secrets?dryRun=All', probe);
        return webhook.calls > 0;
      };
      await vi.waitUntil(isAsked, { timeout: 20_000 });
      await harness.issue('version-1');
    });
    afterAll(() => Promise.all([harness.close(), webhook.stop()]));
    beforeEach(async () => {
      webhook.patch = [];
      await harness.admin.remove(secretPath).catch(() => undefined);
    });

    const target = targetOf({ format: 'tls', labels: { team: 'shop' } });
    const deploy = (otherwise = {}) =>
      harness.deploy({ ...target, ...otherwise }, { certificates: ['shop'] });
    const secret = () => harness.admin.get(secretPath);
    const marks = async () => {
      const { spec } = await harness.admin.get('/apis/apps/v1/namespaces/shop/deployments/web');
      return JSON.stringify(spec);
    };

    test.for<[string, readonly PatchOperation[], RegExp]>([
      ['our label', [{ op: 'remove', path: label }], /removed label app\.kubernetes\.io\/managed-by of/],
      [
        "our label's value",
        [{ op: 'replace', path: label, value: 'platform' }],
        /changed label app\.kubernetes\.io\/managed-by of/,
      ],
      ["the target's label", [{ op: 'remove', path: '/metadata/labels/team' }], /removed label team of/],
      [
        'all annotations',
        [{ op: 'remove', path: '/metadata/annotations' }],
        /removed annotation certrelay\.dev\/certificate, .*removed annotation certrelay\.dev\/not-after of/,
      ],
      ['a key', [{ op: 'replace', path: '/data/tls.key', value: 'eA==' }], /changed tls\.key of/],
      [
        "a key's name",
        [
          { op: 'add', path: '/type', value: 'Opaque' },
          { op: 'move', from: '/data/tls.key', path: '/data/key.pem' },
        ],
        /changed the type, removed tls\.key of/,
      ],
    ])('%s: the first write is refused, the second as well, and it is delivered once it stays', async ([
      ,
      patch,
      message,
    ]) => {
      const pods = await marks();
      webhook.patch = patch;
      const refused = { outcome: 'refused', restarted: [], message: expect.stringMatching(message) };
      expect(only(await deploy())).toMatchObject(refused);
      const { metadata } = await secret();
      expect(only(await deploy())).toMatchObject({
        outcome: 'refused',
        message: expect.stringMatching(/the cluster (changed|removed) .* of Secret lab\/shop\/shop-tls/),
      });
      expect((await secret()).metadata.resourceVersion).toBe(metadata.resourceVersion);
      expect(await marks()).toBe(pods);
      webhook.patch = [];
      if (message.source.includes('type')) await harness.admin.remove(secretPath);
      expect(only(await deploy())).toMatchObject({ outcome: 'delivered' });
      expect((await secret()).metadata.labels).toEqual({
        'app.kubernetes.io/managed-by': 'certrelay',
        team: 'shop',
      });
    });

    test('what admission adds is its own: it is delivered, stays, and is no change the next time', async () => {
      webhook.patch = [
        { op: 'add', path: '/metadata/labels/cost', value: '1' },
        { op: 'add', path: '/metadata/annotations/seen', value: 'x' },
        { op: 'add', path: '/data/more', value: 'eA==' },
      ];
      expect(only(await deploy())).toMatchObject({ outcome: 'delivered' });
      expect(only(await deploy())).toMatchObject({ outcome: 'unchanged' });
      expect(await secret()).toMatchObject({
        data: { more: 'eA==' },
        metadata: { labels: { cost: '1' }, annotations: { seen: 'x' } },
      });
    });

    test('a Secret that admission makes immutable is refused at once, and told of in every report', async () => {
      webhook.patch = [{ op: 'add', path: '/immutable', value: true }];
      expect(only(await deploy())).toMatchObject({
        outcome: 'refused',
        message: expect.stringContaining('the cluster set "immutable" of Secret lab/shop/shop-tls'),
      });
      expect(only(await deploy())).toMatchObject({
        message: expect.stringContaining('is immutable, so it cannot take the next certificate'),
      });
    });

    test('what replace would keep and admission drops is named', async () => {
      const data = { htpasswd: 'eA==' };
      await harness.admin.create('/api/v1/namespaces/shop/secrets', {
        apiVersion: 'v1',
        kind: 'Secret',
        metadata: { name: 'shop-tls' },
        data,
      });
      webhook.patch = [{ op: 'add', path: '/data/htpasswd', value: 'b3RoZXI=' }];
      expect(only(await deploy({ adopt: true, replace: true }))).toMatchObject({
        outcome: 'refused',
        message: expect.stringContaining('changed htpasswd of Secret lab/shop/shop-tls'),
      });
    });

    test("an answer that has another Secret's name is not taken for ours, when it is written and when it is read", async () => {
      webhook.patch = [{ op: 'replace', path: '/metadata/name', value: 'other' }];
      const refused = {
        outcome: 'refused',
        restarted: [],
        message: expect.stringContaining(
          'the answer for Secret shop/shop-tls in cluster lab is another Secret',
        ),
      };
      expect(only(await deploy())).toMatchObject(refused);
      webhook.patch = [];
      expect(only(await deploy())).toMatchObject(refused);
    });

    test('a type that admission changes does not make replace delete the Secret again and again', async () => {
      webhook.patch = [{ op: 'add', path: '/type', value: 'Opaque' }];
      const replace = () => deploy({ replace: true });
      expect(only(await replace())).toMatchObject({
        message: expect.stringContaining('changed the type of'),
      });
      const { metadata } = await secret();
      expect(only(await replace())).toMatchObject({
        outcome: 'refused',
        message: expect.stringContaining('changed the type of Secret lab/shop/shop-tls to Opaque'),
      });
      expect((await secret()).metadata.uid).toBe(metadata.uid);
    });

    test('a Secret whose label a person takes away is theirs from then on', async () => {
      expect(only(await deploy())).toMatchObject({ outcome: 'delivered' });
      const labels = { 'app.kubernetes.io/managed-by': null };
      await harness.admin.patch(secretPath, { metadata: { labels } });
      expect(only(await deploy())).toMatchObject({
        outcome: 'refused',
        message: expect.stringContaining("is not Certrelay's"),
      });
    });

    test('a quota that leaves no room, and a policy with the status of RBAC, are told in their own words', async () => {
      const metadata = { name: 'small' };
      const quota = {
        apiVersion: 'v1',
        kind: 'ResourceQuota',
        metadata,
        spec: { hard: { 'count/secrets': '0' } },
      };
      const quotas = '/api/v1/namespaces/shop/resourcequotas';
      await harness.admin.create(quotas, quota);
      const refused = (message: RegExp) =>
        expect
          .poll(async () => {
            await harness.admin.remove(secretPath).catch(() => undefined);
            return only(await deploy());
          })
          .toMatchObject({ outcome: 'refused', message: expect.stringMatching(message) });
      await refused(/quota is used up: raise it.*exceeded quota: small, requested: count\/secrets=1/);
      await harness.admin.remove(`${quotas}/small`);

      const api = '/apis/admissionregistration.k8s.io/v1';
      const apiVersion = 'admissionregistration.k8s.io/v1';
      const secrets = {
        apiGroups: [''],
        apiVersions: ['v1'],
        operations: ['CREATE', 'UPDATE'],
        resources: ['secrets'],
      };
      await harness.admin.create(`${api}/validatingadmissionpolicies`, {
        apiVersion,
        kind: 'ValidatingAdmissionPolicy',
        metadata,
        spec: {
          matchConstraints: { resourceRules: [secrets] },
          validations: [{ expression: 'false', message: 'no Secrets on Mondays', reason: 'Forbidden' }],
        },
      });
      await harness.admin.create(`${api}/validatingadmissionpolicybindings`, {
        apiVersion,
        kind: 'ValidatingAdmissionPolicyBinding',
        metadata,
        spec: { policyName: 'small', validationActions: ['Deny'] },
      });
      await refused(/policy does not allow it: change the policy.*no Secrets on Mondays/);
    });
  });
}
