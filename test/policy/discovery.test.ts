// Which objects ask, and for what: annotations, classes, and the shapes of Ingresses, Gateways and Services.
import { describe, expect, it } from 'vitest';
import type { DiscoverySpec } from '../../lib/certificate/spec.ts';
import { judgeObject } from '../../lib/policy/kubernetes/discovery.ts';
import type { TlsObject } from '../../lib/policy/kubernetes/tls-objects.ts';
import { discoveryOf } from '../minting/discovery.ts';

const discovery = discoveryOf();
const asking = { 'certrelay.dev/tls': 'true' };

function judge(object: Partial<TlsObject>, change: Partial<DiscoverySpec> = {}) {
  const tls = [{ hosts: ['shop.example.com'], secret: 'shop-tls' }];
  const whole = {
    kind: 'Ingress',
    namespace: 'shop',
    name: 'web',
    annotations: asking,
    tls,
    ...object,
  } as const;
  const { secrets, remarks } = judgeObject('lab', whole, { ...discovery, ...change });
  return { secrets: secrets.map(({ secret, domains }) => `${secret}: ${domains.join(' ')}`), remarks };
}

const found = { secrets: ['shop-tls: shop.example.com'], remarks: [] };
const nothing = { secrets: [], remarks: [] };

describe('K24 only an object whose annotation is true is found: annotations', () => {
  it.each<[Record<string, string>, object]>([
    [asking, found],
    [{}, nothing],
    [{ 'certrelay.dev/tls': 'false' }, nothing],
    [{ 'certrelay.dev/tls': 'True' }, nothing],
    [{ 'kubernetes.io/tls-acme': 'false' }, nothing],
  ])('%j', (annotations, expected) => {
    expect(judge({ annotations })).toEqual(expected);
  });

  it('K20 two installations side by side ask by annotations of their own', () => {
    const annotations = { 'staging.example.com/tls': 'true' };
    expect(judge({ annotations }, { annotation: 'staging.example.com/tls' })).toEqual(found);
    expect(judge({ annotations })).toEqual(nothing);
  });

  it.each([
    ['kubernetes.io/tls-acme', 'true'],
    ['cert-manager.io/issuer', 'letsencrypt'],
    ['cert-manager.io/cluster-issuer', 'letsencrypt'],
  ])('C07 %s asks another tool, and here only with hints', (name, value) => {
    const annotations = { [name]: value };
    const { secrets, remarks } = judge({ annotations });
    expect(secrets).toEqual([]);
    expect(remarks).toEqual([expect.stringContaining(`it asks another tool, by ${name}`)]);
    expect(judge({ annotations }, { hints: true })).toEqual(found);
  });
});

describe('K15 classes', () => {
  const classes = ['nginx', 'gce'];
  it.each<[string | undefined, Partial<DiscoverySpec>, string | undefined]>([
    ['nginx', {}, undefined],
    [undefined, {}, undefined],
    ['nginx', { classes }, undefined],
    ['traefik', { classes }, "its class is traefik, and the inventory's classes are nginx, gce"],
    [undefined, { classes }, "it names no class, and the inventory's classes are nginx, gce"],
    [undefined, { classes, defaultClass: 'gce' }, undefined],
    [
      'traefik',
      { classes, defaultClass: 'gce' },
      "its class is traefik, and the inventory's classes are nginx, gce",
    ],
  ])('%s with %j', (className, change, remark) => {
    expect(judge({ className }, change)).toEqual(
      remark === undefined ? found : { secrets: [], remarks: [remark] },
    );
  });

  it('say nothing about a Service, and the default is none for a Gateway', () => {
    const annotations = {
      ...asking,
      'certrelay.dev/domains': 'mail.example.com, imap.example.com',
      'certrelay.dev/secret': 'mail-tls',
    };
    const service = { kind: 'Service', annotations, tls: [] } as const;
    const mail = { secrets: ['mail-tls: mail.example.com imap.example.com'], remarks: [] };
    expect(judge(service, { classes })).toEqual(mail);
    expect(judge({ kind: 'Gateway' }, { classes, defaultClass: 'gce' }).secrets).toEqual([]);
  });
});

it.each<[string, Partial<TlsObject>, object]>([
  [
    'K26 an element without a Secret is named, and the next one is found',
    { tls: [{ hosts: ['a.example.com'] }, { hosts: ['b.example.com'], secret: 'b' }] },
    { secrets: ['b: b.example.com'], remarks: ['it names no Secret for a.example.com'] },
  ],
  [
    'an element without hosts is named',
    { tls: [{ hosts: [], secret: 'a' }] },
    { secrets: [], remarks: ['it names no host for Secret a: add the names that the certificate must have'] },
  ],
  [
    'an Ingress without spec.tls is named',
    { tls: [] },
    { secrets: [], remarks: [expect.stringContaining('has no spec.tls')] },
  ],
  [
    'P25 the listeners of a Gateway that use one Secret share its certificate',
    {
      kind: 'Gateway',
      tls: [
        { hosts: ['a.example.com'], secret: 'x' },
        { hosts: ['b.example.com'], secret: 'x' },
        { hosts: ['c.example.com'], secret: 'y' },
      ],
    },
    { secrets: ['x: a.example.com b.example.com', 'y: c.example.com'], remarks: [] },
  ],
  [
    'a ListenerSet without a certificate is told what it lacks',
    { kind: 'ListenerSet', tls: [] },
    { secrets: [], remarks: [expect.stringContaining('no listener has tls.certificateRefs')] },
  ],
  [
    'a Gateway asks for no Secret of another namespace, whose owner has not asked',
    {
      kind: 'Gateway',
      tls: [
        { hosts: ['a.example.com'], secret: 'x', namespace: 'other' },
        { hosts: ['b.example.com'], secret: 'x', namespace: 'shop' },
      ],
    },
    {
      secrets: ['x: b.example.com'],
      remarks: [expect.stringContaining('Secret other/x is in another namespace')],
    },
  ],
  [
    'a Service that only asks is told what it lacks',
    { kind: 'Service', tls: [] },
    { secrets: [], remarks: [expect.stringContaining('add certrelay.dev/domains')] },
  ],
])('%s', (_, object, expected) => {
  expect(judge(object)).toEqual(expected);
});
