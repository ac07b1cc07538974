// What is sent to a cluster to start a rollout.
import { expect, test } from 'vitest';
import { describePatch } from '../../lib/adapters/kubernetes/secret-uses.ts';
import type { RestartPatch } from '../../lib/policy/kubernetes/objects.ts';

const variable = 'LETSENCRYPT_CERT_REFRESH';
const containers = (env: object) => ({ spec: { containers: [{ name: 'main', env: [env] }] } });

test.each<[string, RestartPatch, object]>([
  [
    'annotations',
    { template: { 'certrelay.dev/fingerprint-shop-tls': 'aa' }, own: {} },
    { spec: { template: { metadata: { annotations: { 'certrelay.dev/fingerprint-shop-tls': 'aa' } } } } },
  ],
  [
    'annotations of both, one of them removed',
    { template: { a: null }, own: { b: 'c' } },
    { metadata: { annotations: { b: 'c' } }, spec: { template: { metadata: { annotations: { a: null } } } } },
  ],
  [
    'the variable',
    { template: {}, env: { container: 'main', value: 'aa' }, own: {} },
    { spec: { template: containers({ name: variable, value: 'aa' }) } },
  ],
  [
    'the variable removed',
    { template: {}, env: { container: 'main', value: null }, own: {} },
    { spec: { template: containers({ name: variable, $patch: 'delete' }) } },
  ],
])('P10 the patch of %s changes its own mark and nothing else', (_, patch, body) => {
  expect(describePatch(patch)).toStrictEqual(body);
});
