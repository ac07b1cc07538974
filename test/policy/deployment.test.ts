// What to do about a target's Secret.
import { describe, expect, test } from 'vitest';
import { layOut } from '../../lib/certificate/secret-layout.ts';
import type { SecretTarget } from '../../lib/certificate/spec.ts';
import { compareStored, describeSecret, planSecret } from '../../lib/policy/delivery/secret-plan.ts';
import type { ClusterSecret, SecretManifest } from '../../lib/policy/kubernetes/objects.ts';
import { targetOf } from '../minting/targets.ts';

const target = targetOf({ format: 'nginx-ssl-proxy' });
const none = { data: [], labels: [], annotations: [] };
const ours = { 'app.kubernetes.io/managed-by': 'certrelay' };
const wanted: SecretManifest = {
  namespace: 'shop',
  name: 'shop-tls',
  type: 'Opaque',
  labels: ours,
  annotations: { 'certrelay.dev/certificate': 'shop', 'certrelay.dev/version': '2' },
  data: { proxycert: 'Yw==', proxykey: 'aw==' },
};
const found: ClusterSecret = {
  uid: 'u',
  resourceVersion: '1',
  immutable: false,
  type: 'Opaque',
  labels: ours,
  annotations: wanted.annotations,
  data: wanted.data,
  owned: {
    data: ['proxycert', 'proxykey'],
    labels: Object.keys(ours),
    annotations: Object.keys(wanted.annotations),
  },
};

test('P15 values go into the Secret as base64 in one line, and come out as they were', () => {
  const pem = (text: string) => `${`${text.repeat(64)}\n`.repeat(30)}`;
  const delivery = {
    certificate: 'shop',
    version: '2',
    fingerprint: 'aa',
    notAfter: new Date(0),
    chain: pem('c'),
    key: pem('k'),
  };
  const { data } = describeSecret(delivery, { ...target, format: 'ployst' });
  const decoded = Object.entries(data).map(([name, value]) => [
    name,
    Buffer.from(value, 'base64').toString(),
  ]);
  expect(Object.values(data).join('')).toMatch(/^[A-Za-z0-9+/=]+$/);
  expect(Object.fromEntries(decoded)).toEqual(layOut(delivery, { format: 'ployst' }).values);
});

describe('planSecret', () => {
  const earlier = (certificate: string) => ({
    'certrelay.dev/certificate': certificate,
    'certrelay.dev/version': '1',
  });
  const cases: readonly [string, Partial<SecretTarget>, Partial<ClusterSecret> | undefined, string][] = [
    ['missing', {}, undefined, 'create'],
    ['all as wanted', {}, {}, 'keep'],
    ['as wanted, beside values of others', {}, { data: { ...wanted.data, htpasswd: 'eA==' } }, 'keep'],
    ['as wanted, beside labels of others', {}, { labels: { ...ours, team: 'shop' } }, 'keep'],
    ['with another value', {}, { data: { ...wanted.data, proxykey: 'eA==' } }, 'apply'],
    ['with a value too few', {}, { data: { proxycert: 'Yw==' } }, 'apply'],
    [
      'with a value of ours too many',
      {},
      { owned: { ...found.owned, data: ['proxycert', 'proxykey', 'tls.pem'] } },
      'apply',
    ],
    [
      'with a label of ours too many',
      {},
      { owned: { ...found.owned, labels: [...found.owned.labels, 'team'] } },
      'apply',
    ],
    [
      'with an annotation of ours too many',
      {},
      { owned: { ...found.owned, annotations: [...found.owned.annotations, 'note'] } },
      'apply',
    ],
    ['all as wanted, and nothing of it known to be ours', {}, { owned: none }, 'apply'],
    ['all as wanted, and its data not ours', {}, { owned: { ...found.owned, data: [] } }, 'apply'],
    ['of the version before', {}, { annotations: earlier('shop') }, 'apply'],
    ['of another certificate of ours', {}, { annotations: earlier('api') }, 'Foreign'],
    ['of another certificate of ours, adopted', { adopt: true }, { annotations: earlier('api') }, 'apply'],
    [
      'of another certificate of ours, replaced',
      { replace: true },
      { annotations: earlier('api') },
      'Foreign',
    ],
    ['ours, its certificate not told', {}, { annotations: {} }, 'apply'],
    ['without our label', {}, { labels: {} }, 'Foreign'],
    ['with the label of another', {}, { labels: { 'app.kubernetes.io/managed-by': 'Helm' } }, 'Foreign'],
    ['without our label, adopted', { adopt: true }, { labels: {} }, 'apply'],
    ['of another type', {}, { type: 'kubernetes.io/tls' }, 'TypeConflict'],
    ['of another type, adopted', { adopt: true }, { type: 'kubernetes.io/tls', labels: {} }, 'TypeConflict'],
    ['of another type, replaced', { replace: true }, { type: 'kubernetes.io/tls' }, 'replace'],
    [
      'of another owner and type, replaced',
      { replace: true },
      { type: 'kubernetes.io/tls', labels: {} },
      'Foreign',
    ],
    ['immutable, as wanted', {}, { immutable: true }, 'keep'],
    ['immutable, other labels', { adopt: true }, { immutable: true, labels: {} }, 'apply'],
    ['immutable, another value', {}, { immutable: true, data: {} }, 'Rejected'],
  ];
  test.for(cases)('a Secret that is %s', ([, more, secret, expected]) => {
    const plan = planSecret({ ...target, ...more }, wanted, secret && { ...found, ...secret });
    expect(plan.action === 'refuse' ? plan.code : plan.action).toBe(expected);
    if (plan.action === 'refuse') expect(plan.message).toContain('lab/shop/shop-tls');
  });

  test('what replace keeps is what was not ours, without what describes the old object to kubectl', () => {
    const plan = planSecret({ ...target, replace: true }, wanted, {
      ...found,
      type: 'kubernetes.io/tls',
      labels: { ...ours, team: 'shop' },
      annotations: { note: 'n', 'kubectl.kubernetes.io/last-applied-configuration': '{}' },
      data: { 'tls.crt': 'bw==', htpasswd: 'eA==', proxykey: 'b2xk' },
      owned: { ...none, data: ['tls.crt'] },
    });
    expect(plan).toMatchObject({
      action: 'replace',
      kept: { labels: { team: 'shop' }, annotations: { note: 'n' }, data: { htpasswd: 'eA==' } },
    });
    if (plan.action === 'replace') expect(Object.keys(plan.kept.data)).toEqual(['htpasswd']);
  });

  test('a stored Secret differs by the keys, or the type, that are not what was applied', () => {
    expect(compareStored(wanted, { ...found, data: { ...found.data, more: 'eA==' } })).toEqual([]);
    expect(compareStored(wanted, { ...found, data: { proxycert: 'Yw==', proxykey: 'eA==' } })).toEqual([
      'proxykey',
    ]);
    expect(compareStored(wanted, { ...found, type: 'other' })).toEqual(['type']);
  });
});
