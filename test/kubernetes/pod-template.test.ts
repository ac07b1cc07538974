// What is sent to a cluster to start a rollout.
import { expect, test } from 'vitest';
import { describePatch } from '../../lib/adapters/kubernetes/secret-uses.ts';
import type { RestartMark } from '../../lib/policy/kubernetes/objects.ts';

test.each<[string, RestartMark, object]>([
  [
    'annotation',
    { kind: 'annotation', key: 'certrelay.dev/fingerprint-shop-tls', value: 'aa' },
    { metadata: { annotations: { 'certrelay.dev/fingerprint-shop-tls': 'aa' } } },
  ],
  [
    'env',
    { kind: 'env', container: 'main', value: 'aa' },
    { spec: { containers: [{ name: 'main', env: [{ name: 'LETSENCRYPT_CERT_REFRESH', value: 'aa' }] }] } },
  ],
])('P10 the patch of strategy %s changes its own mark and nothing else', (_, mark, template) => {
  expect(describePatch(mark)).toStrictEqual({ spec: { template } });
});
