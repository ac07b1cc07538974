// What may be written of a target beside its place: keys, keystores, labels, and AWS Certificate Manager.
import { describe, expect, test } from 'vitest';
import type { CertificateSpec } from '../../lib/certificate/spec.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';

/** A good inventory in which one part is exchanged; JSON is YAML. */
function write(change: object): string {
  return JSON.stringify({
    issuers: { default: { agreeToTerms: true } },
    clusters: { lab: { kubeconfig: { secret: 'certrelay/clusters/lab' } } },
    ...change,
  });
}

/** `path: message` of each mistake. */
function mistakes(text: string): readonly string[] {
  const parsed = parseInventory(text);
  return 'problems' in parsed ? parsed.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

const withTargets = (targets: readonly object[]) =>
  write({ certificates: [{ name: 'shop', domains: ['shop.example.com'], targets }] });

function parse(targets: readonly object[]): CertificateSpec['targets'] {
  const parsed = parseInventory(withTargets(targets));
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory.certificates[0]?.targets ?? [];
}

describe('a Secret of a target', () => {
  test.each<[string, object]>([
    ['names for its keys', { keys: { cert: 'server.crt', key: 'server.key' } }],
    ['a keystore', { format: 'pkcs12', password: { secret: 'certrelay/passwords/shop' } }],
    ['labels', { labels: { team: 'shop', 'example.com/tier': '' } }],
    ['annotations', { annotations: { note: 'any text', 'example.com/note': '' } }],
  ])('may have %s', (_, fields) => {
    expect(parse([{ cluster: 'lab', ...fields }])).toMatchObject([fields]);
  });

  const password = { secret: 'certrelay/passwords/shop' };
  test.each<[object, string]>([
    [{ keys: { cert: 'a' } }, 'targets[0].keys: has no key; name both cert and key'],
    [{ keys: { cert: 'a', key: 'a' } }, 'keys: has the same name twice'],
    [{ keys: { cert: 'a/b', key: 'c' } }, 'keys.cert: "a/b" is not a key of a Secret'],
    [
      { keys: { cert: 'a', key: 'b', leaf: 'c' } },
      'keys.leaf: is not a known key; known keys: cert, key, chain, pem, keystore',
    ],
    [
      { keys: { pem: 'a', cert: 'b', key: 'c' } },
      'keys.pem: is not a key of format tls; use cert, key, chain',
    ],
    [{ format: 'ployst', keys: { cert: 'a' } }, 'keys: are fixed in format ployst'],
    [{ format: 'pkcs12' }, 'targets[0]: is a keystore without a password'],
    [{ password }, 'password: is not used by format tls'],
    [{ format: 'pkcs12', password: 'geheim' }, 'password: is "geheim"; write a mapping'],
    [{ labels: { 'certrelay.dev/version': '1' } }, 'is set by Certrelay itself; leave it out'],
    [{ labels: { 'app.kubernetes.io/managed-by': 'me' } }, 'is set by Certrelay itself; leave it out'],
    [{ labels: { team: 'a b' } }, '" is not a label value'],
    [{ labels: { team: 'a'.repeat(64) } }, '" is not a label value'],
    [{ labels: { team: 5 } }, 'labels.team: is 5; write text, and a number in quotes'],
    [{ annotations: { '-x': 'a' } }, 'is not the name of a label or annotation'],
    [{ annotations: { 'a/b/c': 'a' } }, 'is not the name of a label or annotation'],
  ])('never %j', (fields, mistake) => {
    expect(mistakes(withTargets([{ cluster: 'lab', ...fields }]))).toEqual([
      expect.stringContaining(mistake),
    ]);
  });
});

describe('a target in ACM', () => {
  const arn = 'arn:aws:acm:us-east-1:123456789012:certificate/0a1b';
  const region = 'us-east-1';
  const mistakesOf = (...targets: readonly object[]) => mistakes(withTargets(targets));

  test('is a region, with or without the ARN of what is imported there', () => {
    const targets = [
      { acm: { region } },
      { acm: { region: 'eu-west-1', arn: arn.replace(region, 'eu-west-1') } },
    ];
    expect(parse(targets)).toEqual(targets);
  });

  test.each<[string, object, string]>([
    ['without region', {}, 'acm.region: is missing'],
    ['in no region', { region: 'frankfurt' }, 'acm.region: "frankfurt" is not an AWS region'],
    [
      'with another ARN',
      { region, arn: 'arn:aws:iam::123456789012:role/x' },
      ' is not the ARN of a certificate',
    ],
    ['of another region', { region: 'eu-west-1', arn }, 'acm.arn: is in another region'],
    ['with an unknown key', { region, name: 'x' }, 'acm.name: is not a known key; known keys: region, arn'],
  ])('is never %s', (_, acm, mistake) => {
    expect(mistakesOf({ acm })).toEqual([expect.stringContaining(mistake)]);
  });

  test('has its region to itself in one certificate', () => {
    expect(mistakesOf({ acm: { region } }, { acm: { region } })).toEqual([
      expect.stringContaining('targets[1]: repeats the region of targets[0]'),
    ]);
  });

  test('has its ARN to itself in the whole file, and has none in what may be registered', () => {
    const targets = [{ acm: { region, arn } }];
    const certificates = ['a', 'b'].map((name) => ({ name, domains: [`${name}.example.com`], targets }));
    const registration = { zones: ['example.com'], targets };
    expect(mistakes(write({ certificates, registration }))).toEqual([
      expect.stringContaining('registration.targets[0].acm.arn: would be overwritten'),
      expect.stringContaining('certificates[1].targets[0].acm.arn: is also the ARN of certificates[0]'),
    ]);
  });

  test('is a place that an issuer may be kept from, and no cluster has its name', () => {
    const issuers = { default: { agreeToTerms: true, onlyFor: ['lab', 'acm/eu-west-1'] } };
    const of = (one: string) => [
      { name: 'a', domains: ['a.example.com'], targets: [{ acm: { region: one } }] },
    ];
    expect(mistakes(write({ issuers, certificates: of('eu-west-1') }))).toEqual([]);
    expect(mistakes(write({ issuers, certificates: of('us-east-1') }))).toEqual([
      expect.stringContaining('is in acm/us-east-1, but issuer "default" is only for'),
    ]);
    const clusters = { lab: { kubeconfig: { file: 'a' } }, acm: { kubeconfig: { file: 'a' } } };
    expect(mistakes(write({ clusters }))).toEqual([
      expect.stringContaining('is reserved for targets in ACM'),
    ]);
  });
});
