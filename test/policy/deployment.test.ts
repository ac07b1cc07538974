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
  otherWriters: [],
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
    ['without our label', {}, { labels: {}, owned: none }, 'Foreign'],
    [
      'with the label of another',
      {},
      { labels: { 'app.kubernetes.io/managed-by': 'Helm' }, owned: none },
      'Foreign',
    ],
    ['without our label, adopted', { adopt: true }, { labels: {}, owned: none }, 'apply'],
    ['of another type', {}, { type: 'kubernetes.io/tls', owned: none }, 'TypeConflict'],
    ['of another type, adopted', { adopt: true }, { type: 'kubernetes.io/tls', owned: none }, 'TypeConflict'],
    ['of another type, replaced', { replace: true }, { type: 'kubernetes.io/tls', owned: none }, 'replace'],
    [
      'of another owner and type, replaced',
      { replace: true },
      { type: 'kubernetes.io/tls', labels: {}, owned: none },
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

  test('a label that we applied and admission took away leaves the Secret ours, and is told', () => {
    const without = { ...found, labels: {} };
    expect(planSecret(target, wanted, without)).toEqual({
      action: 'apply',
      warnings: [
        expect.stringMatching(/admission removed label app\.kubernetes\.io\/managed-by of Secret lab/),
      ],
    });
    const changed = { ...found, labels: { 'app.kubernetes.io/managed-by': 'platform' } };
    expect(planSecret(target, wanted, changed)).toMatchObject({ action: 'apply' });
  });

  test('a Secret that admission gave another type is not replaced again and again', () => {
    const other = { ...found, type: 'kubernetes.io/tls' };
    const plan = planSecret({ ...target, replace: true }, wanted, other);
    expect(plan).toMatchObject({ code: 'Rejected', message: expect.stringContaining('changed the type') });
  });

  const before = { ...found, immutable: true };
  const kept = { ...wanted, labels: { team: 'shop' }, annotations: {}, data: { htpasswd: 'eA==' } };
  const more = { ...found, labels: { ...ours, team: 'shop' }, data: { ...wanted.data, htpasswd: 'eA==' } };
  const stored: readonly [string, Partial<Parameters<typeof compareStored>[0]>, ClusterSecret, string[]][] = [
    ['more than was applied', {}, { ...more, annotations: { ...found.annotations, by: 'them' } }, []],
    ['another value', {}, { ...found, data: { ...found.data, proxykey: 'eA==' } }, ['changed proxykey']],
    [
      'a key by another name',
      {},
      { ...found, data: { proxycert: 'Yw==', key: 'aw==' } },
      ['removed proxykey'],
    ],
    ['another type', {}, { ...found, type: 'other' }, ['changed the type']],
    ['no label', {}, { ...found, labels: {} }, ['removed label app.kubernetes.io/managed-by']],
    [
      'another annotation',
      {},
      { ...found, annotations: { ...found.annotations, 'certrelay.dev/version': '1' } },
      ['changed annotation certrelay.dev/version'],
    ],
    ['an end to changes', {}, before, ['set "immutable"']],
    ['the end to changes that was there', { found: before }, before, []],
    [
      'less than replace keeps',
      { plan: { action: 'replace', kept, warnings: [] }, found: before },
      { ...found, immutable: true },
      ['set "immutable"', 'removed htpasswd', 'removed label team'],
    ],
    ['all that replace keeps', { plan: { action: 'replace', kept, warnings: [] } }, more, []],
  ];
  test.for(stored)('of a stored Secret that has %s, what differs is named', ([
    ,
    change,
    secret,
    differences,
  ]) => {
    const plan = { action: 'apply', warnings: [] } as const;
    expect(compareStored({ plan, desired: wanted, found, ...change }, secret)).toEqual(differences);
  });
});
