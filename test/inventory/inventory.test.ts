import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  type CertificateSpec,
  type Inventory,
  type IssuerSpec,
  isSecretTarget,
  type SecretTarget,
} from '../../lib/certificate/spec.ts';
import { parseInventory, serializeInventory } from '../../lib/inventory/inventory.ts';
import { renderJsonSchema } from '../../lib/inventory/schema.ts';
import { mintChain } from '../minting/certificates.ts';
import { inventories } from './inventories.ts';

const staging = 'https://acme-staging-v02.api.letsencrypt.org/directory';
const production = 'https://acme-v02.api.letsencrypt.org/directory';
const infra = join(import.meta.dirname, '../../infra');

/** A good inventory in which one part is exchanged; JSON is YAML. */
function write(change: { readonly [part: string]: unknown } = {}): string {
  return JSON.stringify({
    issuers: { default: { agreeToTerms: true } },
    clusters: { lab: { kubeconfig: { secret: 'certrelay/clusters/lab' } } },
    certificates: [{ name: 'shop', domains: ['shop.example.com'] }],
    ...change,
  });
}

function read(text: string): Inventory {
  const parsed = parseInventory(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory;
}

/** `path: message` of each mistake. */
function mistakes(text: string): readonly string[] {
  const parsed = parseInventory(text);
  return 'problems' in parsed ? parsed.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

function certificate(fields: object): CertificateSpec | undefined {
  return read(write({ certificates: [{ name: 'shop', domains: ['shop.example.com'], ...fields }] }))
    .certificates[0];
}

function certificateMistakes(fields: object): readonly string[] {
  return mistakes(write({ certificates: [{ name: 'shop', domains: ['shop.example.com'], ...fields }] }));
}

function target(fields: object, domains: unknown = ['shop.example.com']): SecretTarget | undefined {
  return certificate({ domains, targets: [{ cluster: 'lab', ...fields }] })?.targets.find(isSecretTarget);
}

function targetMistakes(fields: object): readonly string[] {
  return certificateMistakes({ targets: [{ cluster: 'lab', ...fields }] });
}

function issuer(fields: object): IssuerSpec | undefined {
  return read(write({ issuers: { default: { agreeToTerms: true, ...fields } } })).issuers.default;
}

function issuerMistakes(fields: object): readonly string[] {
  return mistakes(write({ issuers: { default: { agreeToTerms: true, ...fields } } }));
}

test('D09 the file that comes with the project is a valid inventory on staging once its user agrees to the terms', () => {
  const shipped = readFileSync(join(infra, 'certificates.yaml'), 'utf8');
  expect(mistakes(shipped)).toEqual([
    expect.stringMatching(
      /^issuers\.default\.agreeToTerms: is missing; write true after you have read .*https:.* take the # /,
    ),
  ]);
  const inventory = read(shipped.replace('# agreeToTerms: true', 'agreeToTerms: true'));
  expect(inventory.issuers.default?.directory).toBe(staging);
  expect(inventory.certificates).toHaveLength(1);
});

test('the JSON Schema beside it is the one that the code gives; `node infra/inventory/schema.ts` writes it', () => {
  expect(readFileSync(join(infra, 'certificates.schema.json'), 'utf8')).toBe(renderJsonSchema());
});

test('every mistake is told at once, each with its path, its line and what would be right', () => {
  const parsed = parseInventory(`
issuers:
  default: { directory: "http://ca.example/dir", eab: { secret: "a b", kid: x } }
clusters:
  lab: { kubeconfig: { secrt: a } }
certificates:
  - name: Shop
    domains: [shop.example.com, "*.example.com", bad_name.example.com]
    key: rsa-1024
  - name: api
    domains: [api.example.com]
    issuer: nobody
    targets:
      - { cluster: prod, secret: tls, restart: [ReplicationController/web] }
      - { cluster: lab, namespace: default, secret: tls }
  - name: api
    domains: []
    targets: [{ cluster: lab, secret: tls }]
`);
  expect(
    'problems' in parsed && parsed.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`),
  ).toEqual(
    [
      /^3 issuers\.default\.directory: "http:\/\/ca.example\/dir" is not an ACME directory; use one of .* https URL$/,
      /^3 issuers\.default\.agreeToTerms: is missing; write true after you have read/,
      /^3 issuers\.default\.eab\.secret: is not the name of an AWS secret; use e\.g\. "\{prefix\}\/eab\/acm", with the quotes$/,
      /^3 issuers\.default\.eab\.kid: is not a known key; known keys: secret$/,
      /^5 clusters\.lab\.kubeconfig\.secret: is missing; write text$/,
      /^5 clusters\.lab\.kubeconfig\.secrt: is not a known key; known keys: secret$/,
      /^7 certificates\[0\]\.name: "Shop" is not a certificate name; use up to 63 of a-z/,
      /^8 certificates\[0\]\.domains\[2\]: "bad_name.example.com" has an underscore/,
      /^8 certificates\[0\]\.domains: has both shop.example.com and \*.example.com, which covers it/,
      /^9 certificates\[0\]\.key: is "rsa-1024"; write one of ecdsa-p256, ecdsa-p384, rsa-2048/,
      /^12 certificates\[1\]\.issuer: "nobody" is not a key of issuers in this file; use one of default/,
      /^14 certificates\[1\]\.targets\[0\]\.restart\[0\]: a ReplicationController cannot be restarted; convert "web"/,
      /^14 certificates\[1\]\.targets\[0\]\.cluster: "prod" is not a key of clusters in this file; use one of lab/,
      /^16 certificates\[2\]\.name: "api" is also the name of certificates\[1\]/,
      /^17 certificates\[2\]\.domains: has no name; write at least one/,
      /^18 certificates\[2\]\.targets\[0\]: api \(certificates\[2\].*\) and api \(certificates\[1\].*\) both write Secret default\/tls/,
    ].map((pattern) => expect.stringMatching(pattern)),
  );
});

describe('the account at the CA', () => {
  test.each([
    ['absent', undefined, []],
    ['empty', [], []],
    ['one', ['mailto:ops@example.com'], ['mailto:ops@example.com']],
    ['without mailto:', ['ops@example.com'], ['mailto:ops@example.com']],
  ])('P01 a contact may be %s', (_, contact, expected) => {
    expect(issuer({ contact })?.contact).toEqual(expected);
  });

  test.each([
    '',
    'ops',
    'mailto:',
    'mailto:a@b@c.example',
    'mailto:a@example.com,b@example.com',
    'tel:123',
    'a@localhost',
  ])('P01 the contact %j is refused', (contact) => {
    expect(issuerMistakes({ contact: [contact] })).toEqual([
      expect.stringContaining('is not a contact; use e.g.'),
    ]);
  });

  test('K08 a contact is lower-cased', () => {
    expect(issuer({ contact: ['MailTo:Ops@Example.COM'] })?.contact).toEqual(['mailto:ops@example.com']);
  });

  test.each([
    [undefined],
    [false],
    ['yes'],
    [null],
  ])('K13 terms are never agreed to by %j', (agreeToTerms) => {
    expect(mistakes(write({ issuers: { default: { agreeToTerms } } }))).toEqual([
      expect.stringMatching(/^issuers\.default\.agreeToTerms: .* write true after you have read the terms/),
    ]);
  });

  test.each([
    ['letsencrypt-staging', staging],
    ['staging', staging],
    ['letsencrypt', production],
    ['production', production],
    ['https://ca.example:14000/dir', 'https://ca.example:14000/dir'],
    ['https://CA.example/dir', 'https://ca.example/dir'],
  ])('P03 the directory %s is %s', (directory, url) => {
    expect(issuer({ directory })?.directory).toBe(url);
  });

  test('P04 the directory is staging unless production is chosen', () => {
    expect(issuer({})?.directory).toBe(staging);
  });

  test('K07 a slash at the end of a directory is nothing', () => {
    expect(issuer({ directory: `${staging}/` })?.directory).toBe(staging);
    expect(issuer({ directory: 'https://ca.example/' })?.directory).toBe('https://ca.example');
  });

  test.each([
    ['http://ca.example/dir', 'is not an ACME directory'],
    ['https://user@ca.example/dir', 'is not an ACME directory'],
    ['prod', 'is not an ACME directory'],
    ['https://acme-staging-api.letsencrypt.org/directory', 'switched off'],
    ['https://acme-v01.api.letsencrypt.org/directory', 'switched off'],
    ['https://acme-staging.api.letsencrypt.org/directory', 'switched off'],
  ])('the directory %s is refused', (directory, problem) => {
    expect(issuerMistakes({ directory })).toEqual([expect.stringContaining(problem)]);
  });

  describe('C01 is for all targets, or for those in some clusters and namespaces alone', () => {
    const mistakesWith = (onlyFor: unknown, places: readonly object[]) =>
      mistakes(
        write({
          issuers: { default: { agreeToTerms: true }, internal: { agreeToTerms: true, onlyFor } },
          certificates: [
            { name: 'a', domains: ['a.example.com'], issuer: 'internal', targets: places },
            { name: 'b', domains: ['b.example.com'], targets: [{ cluster: 'lab', secret: 'b' }] },
          ],
        }),
      );
    const [lab, labShop] = [{ cluster: 'lab' }, { cluster: 'lab', namespace: 'shop' }];

    test.each<[string, unknown, readonly object[]]>([
      ['everywhere where it does not say', undefined, [lab, labShop]],
      ['in a cluster with all its namespaces', ['lab'], [lab, labShop]],
      ['in the namespaces it names', ['lab/default', 'lab/shop'], [lab, labShop]],
      ['nowhere yet', ['lab/shop'], []],
    ])('%s', (_, onlyFor, places) => {
      expect(mistakesWith(onlyFor, places)).toEqual([]);
    });

    test('and each target elsewhere is refused, also one that may be registered', () => {
      expect(mistakesWith(['lab/shop'], [labShop, lab])).toEqual([
        'certificates[0].targets[1]: is in lab/default, but issuer "internal" is only for lab/shop; use another issuer, or add lab/default to its onlyFor',
      ]);
      const issuers = { default: { agreeToTerms: true, onlyFor: ['lab/shop'] } };
      const registration = { zones: ['example.com'], targets: [{ cluster: 'lab', namespace: 'edge' }] };
      expect(mistakes(write({ issuers, registration }))).toEqual([
        expect.stringMatching(
          /^registration\.targets\[0\]: is in lab\/edge, but issuer "default" is only for/,
        ),
      ]);
    });

    test('and a cluster that the file does not have is refused', () => {
      expect(mistakesWith(['prod/shop'], [])).toEqual([
        'issuers.internal.onlyFor[0]: "prod" is not a key of clusters in this file; use one of lab, or define it under clusters',
      ]);
      expect(mistakesWith([], [])).toEqual([expect.stringMatching(/^issuers\.internal\.onlyFor: is empty/)]);
    });
  });

  test('issuers of one directory share its account, so they cannot be bound to two', () => {
    const withSecrets = (one: string, other: string, directory?: string) => {
      const agreeToTerms = true;
      const issuers = {
        default: { agreeToTerms, eab: { secret: one } },
        other: { agreeToTerms, directory, eab: { secret: other } },
        free: { agreeToTerms },
      };
      return mistakes(write({ issuers }));
    };
    expect(withSecrets('eab/a', 'eab/a')).toEqual([]);
    expect(withSecrets('eab/a', 'eab/b', 'letsencrypt')).toEqual([]);
    expect(withSecrets('eab/a', 'eab/b', 'staging')).toEqual([
      expect.stringMatching(/^issuers\.other\.eab\.secret: .* issuer "default".* write eab\/a for both$/),
    ]);
  });

  test('the preferred chain is named by a common name', () => {
    expect(issuer({ preferredChain: 'ISRG Root X1' })?.preferredChain).toBe('ISRG Root X1');
    for (const preferredChain of ['', 'a\nb', 'x'.repeat(65), ['X1']]) {
      expect(issuerMistakes({ preferredChain }), JSON.stringify(preferredChain)).toHaveLength(1);
    }
  });

  test('a CA bundle is PEM text or a file', async () => {
    const { root } = await mintChain({
      domains: ['a.example'],
      notBefore: new Date(0),
      notAfter: new Date(1e12),
    });
    expect(issuer({ caBundle: root })?.caBundle).toBe(root);
    expect(issuer({ caBundle: { file: '/ca.pem' } })?.caBundle).toEqual({ file: '/ca.pem' });
    expect(issuerMistakes({ caBundle: '/ca.pem' })).toEqual([
      expect.stringContaining('is not a PEM certificate'),
    ]);
  });
});

describe('a certificate', () => {
  test('P02 may have its domains as one text with spaces between; the first is the primary', () => {
    expect(
      certificate({ domains: ' B.example.com a.example.com  *.c.example.com b.example.com' })?.domains,
    ).toEqual(['b.example.com', 'a.example.com', '*.c.example.com']);
  });

  test.each([
    [[]],
    [''],
    ['  '],
    [null],
    [undefined],
    [[null]],
    [7],
  ])('K01 is refused without a name: %j', (domains) => {
    expect(certificateMistakes({ domains })).toEqual([expect.stringContaining('certificates[0].domains')]);
  });

  test.each([
    [100, 0],
    [101, 1],
  ])('with %i names has %i mistakes', (count, problems) => {
    const domains = Array.from({ length: count }, (_, index) => `n${index}.example.com`);
    expect(certificateMistakes({ domains })).toHaveLength(problems);
    expect(certificateMistakes({ domains: [...domains, ...domains] })).toHaveLength(problems);
  });

  test.each([
    'ecdsa-p256',
    'ecdsa-p384',
    'rsa-2048',
    'rsa-3072',
    'rsa-4096',
  ])('K22 may have the key %s', (key) => {
    expect(certificate({ key })?.key).toBe(key);
  });

  test.each([
    'rsa-512',
    'rsa-1024',
    'rsa-8192',
    'ecdsa-p521',
    'ed25519',
    2048,
  ])('K22 may not have the key %s', (key) => {
    expect(certificateMistakes({ key })).toEqual([
      expect.stringContaining('write one of ecdsa-p256, ecdsa-p384, rsa-2048, rsa-3072, rsa-4096'),
    ]);
  });

  test('K25 K26 each definition is its own certificate, and one without a Secret name is refused by its place', () => {
    const two = [
      { name: 'one', domains: ['one.example.com'], targets: [{ cluster: 'lab', secret: '' }] },
      { name: 'two', domains: ['two.example.com'], targets: [{ cluster: 'lab', secret: 'two' }] },
    ];
    expect(mistakes(write({ certificates: two }))).toEqual([
      expect.stringMatching(/^certificates\[0\]\.targets\[0\]\.secret: "" is not a Kubernetes name/),
    ]);
    expect(
      read(write({ certificates: [two[1], { name: 'one', domains: ['one.example.com'] }] })).certificates,
    ).toEqual([
      expect.objectContaining({ name: 'two', domains: ['two.example.com'] }),
      expect.objectContaining({ name: 'one', domains: ['one.example.com'], targets: [] }),
    ]);
  });

  test.each([
    ['30d', 30 * 86_400_000],
    ['12h', 12 * 3_600_000],
  ])('may be renewed %s before its end', (renewBefore, ms) => {
    expect(certificate({ renewBefore })?.renewBeforeMs).toBe(ms);
  });

  test.each([
    '0d',
    '-1d',
    '30',
    '30 d',
    '1.5d',
    'd',
    '100000d',
    30,
  ])('may not be renewed %j before', (renewBefore) => {
    expect(certificateMistakes({ renewBefore })).toEqual([
      expect.stringContaining('use a number and a unit'),
    ]);
  });
});

describe('a target', () => {
  test.each([
    [['shop.example.com', 'www.example.com'], 'certs-shop.example.com'],
    [['*.shop.example.com'], 'certs-wildcard.shop.example.com'],
    ['shop.example.com www.example.com', 'certs-shop.example.com'],
  ])('P05 without a Secret name is named after the primary of %j', (domains, secret) => {
    expect(target({}, domains)?.secret).toBe(secret);
  });

  test('P06 K10 without a namespace goes to default', () => {
    expect(target({ secret: 'tls' })?.namespace).toBe('default');
  });

  test.each([
    ['tls', undefined],
    ['tls', 'tls'],
    ['ployst', 'ployst'],
    ['nginx-ssl-proxy', 'nginx-ssl-proxy'],
    ['combined-pem', 'combined-pem'],
  ])('P07 has the one format %s, from which the type follows on every path', (expected, format) => {
    expect(target({ format })?.format).toBe(expected);
    expect(targetMistakes({ type: 'Opaque' })).toEqual([expect.stringContaining('is not a known key')]);
  });

  test.each([
    ['none', []],
    ['none', 'none'],
    ['auto', 'auto'],
    ['auto', undefined],
    [[{ kind: 'Deployment', name: 'web' }], ['Deployment/web']],
    [[{ kind: 'StatefulSet', name: 'db-0.x' }], [{ kind: 'StatefulSet', name: 'db-0.x' }]],
  ])('P08 restarts %j when asked for %j', (expected, restart) => {
    expect(target({ restart })?.restart).toEqual(expected);
  });

  test.each([
    ['ReplicationController/web', 'convert "web" to a Deployment'],
    [{ kind: 'ReplicationController', name: 'web' }, 'convert "web" to a Deployment'],
    ['CronJob/web', '"CronJob/web" is not a workload that can be restarted'],
    ['web', 'use one of Deployment/…, StatefulSet/…, DaemonSet/…'],
    ['Deployment/', 'is not a workload'],
    ['Deployment/a/b', 'is not a workload'],
    ['Deployment/../x', 'is not a workload'],
    [7, 'use e.g. Deployment/web'],
    [{ kind: 'Deployment' }, 'is missing'],
  ])('with %j to restart is refused', (workload, problem) => {
    expect(targetMistakes({ restart: [workload] })).toEqual([expect.stringContaining(problem)]);
  });

  test('K27 that another definition has too is refused, naming both', () => {
    const targets = [{ cluster: 'lab', namespace: 'shop', secret: 'tls' }];
    const certificates = [
      { name: 'one', domains: ['shop.example.com'], targets },
      {
        name: 'two',
        domains: ['shop.example.com'],
        targets: [...targets, { cluster: 'lab', secret: 'tls' }],
      },
    ];
    expect(mistakes(write({ certificates }))).toEqual([
      'certificates[1].targets[0]: two (certificates[1].targets[0]) and one (certificates[0].targets[0]) both write ' +
        'Secret shop/tls in cluster lab; give one of them another secret, or merge them into one certificate if they have ' +
        'the same names',
    ]);
  });

  test.each([
    ['Shop-tls', 'is not a Kubernetes name'],
    ['a'.repeat(254), 'is not a Kubernetes name'],
  ])('may not write the Secret %s', (secret, problem) => {
    expect(targetMistakes({ secret })).toEqual([expect.stringContaining(problem)]);
  });
});

describe('the names of a CA', () => {
  test.each<[unknown, readonly string[]]>([
    ['ca.example.com', ['ca.example.com']],
    [
      ['CA.example.com.', 'ca.example.com', 'other.example.com'],
      ['ca.example.com', 'other.example.com'],
    ],
  ])('%j', (caaIdentity, names) => {
    expect(issuer({ caaIdentity })?.caaIdentity).toEqual(names);
  });

  test.each([
    ['*.ca.example.com', 'caaIdentity: is a wildcard; write ca.example.com'],
    ['ca.example.com; accounturi=x', 'is not a DNS name'],
    [[], 'write a domain name, or leave out caaIdentity'],
    [['ca.example.com', 'org'], 'caaIdentity[1]: "org" has one label only'],
    [7, 'write a domain name of the CA, or a list of them'],
  ])('not %j', (caaIdentity, problem) => {
    expect(issuerMistakes({ caaIdentity })).toEqual([expect.stringContaining(problem)]);
  });
});

test('the zone for delegated challenges is one DNS name, in the form that DNS has', () => {
  const text = (delegationZone: string) => `dns: { delegationZone: "${delegationZone}" }`;
  expect(read(text('ACME.Example.com.')).dns).toEqual({ delegationZone: 'acme.example.com' });
  expect(read('issuers: {}').dns).toBeUndefined();
  expect(mistakes(text('*.example.com'))).toEqual(['dns.delegationZone: is a wildcard; write example.com']);
  expect(mistakes('dns: { zone: example.com }')).toEqual([
    'dns.zone: is not a known key; known keys: delegationZone, zones, preflight',
  ]);
});

describe('roles of other accounts', () => {
  const arn = 'arn:aws:iam::210987654321:role/certrelay-dns';
  const zones = (...entries: readonly object[]) => write({ dns: { zones: entries } });

  test('are for a name and all below it, with or without an external id', () => {
    const given = [
      { match: 'Example.NET.', roleArn: arn },
      { match: 'example.org', roleArn: `${arn}/path/of+it`.replace('dns/', 'x/'), externalId: 'a1:/@b' },
    ];
    expect(read(zones(...given)).dns?.zones).toEqual([{ ...given[0], match: 'example.net' }, given[1]]);
    const china = arn.replace('aws', 'aws-cn');
    expect(read(zones({ match: 'example.net', roleArn: china })).dns?.zones).toHaveLength(1);
  });

  test.each<[string, object, string]>([
    ['match', { match: '*.example.net' }, 'is a wildcard; write example.net'],
    ['match', { match: 'net' }, 'has one label only'],
    ['match', { match: undefined }, 'missing'],
    ['roleArn', { roleArn: 'certrelay-dns' }, 'is not the ARN of an IAM role; use e.g. arn:aws:iam::'],
    ['roleArn', { roleArn: 'arn:aws:iam::210987654321:role/*' }, 'is not the ARN of an IAM role'],
    ['roleArn', { roleArn: 'arn:aws:iam::210987654321:user/x' }, 'is not the ARN of an IAM role'],
    ['roleArn', { roleArn: 'arn:aws:iam::21098765432:role/x' }, 'is not the ARN of an IAM role'],
    ['externalId', { externalId: 'x' }, 'is not an external id'],
    ['externalId', { externalId: 'a b' }, 'is not an external id'],
    ['externalId', { externalId: 12345 }, 'is 12345; write text, and a number in quotes'],
    ['externalid', { externalid: 'ab' }, 'is not a known key; known keys: match, roleArn, externalId'],
  ])('are refused where %s is %j', (key, fields, problem) => {
    const [mistake, ...others] = mistakes(zones({ match: 'example.net', roleArn: arn, ...fields }));
    expect(mistake).toContain(`dns.zones[0].${key}: `);
    expect(mistake).toContain(problem);
    expect(others).toEqual([]);
  });

  test('are refused twice for one name, or with two external ids', () => {
    const [one, other] = [
      { match: 'example.net', roleArn: arn },
      { match: 'example.org', roleArn: arn },
    ];
    expect(mistakes(zones(one, other, { ...one, roleArn: `${arn}2` }))).toEqual([]);
    expect(mistakes(zones(one, other, { ...one, match: 'Example.net' }))).toEqual([
      'dns.zones[2]: repeats dns.zones[0]; remove one of the two',
    ]);
    expect(mistakes(zones(one, { ...other, externalId: 'ab' }))).toEqual([
      'dns.zones[1].externalId: differs from that of dns.zones[0], which has the same role; write the same for both',
    ]);
  });
});

test('registered certificates must not all write the same Secret', () => {
  const registration = { zones: ['example.com'], targets: [{ cluster: 'lab', secret: 'tls' }] };
  expect(mistakes(write({ registration }))).toEqual([
    expect.stringMatching(/^registration\.targets\[0\]\.secret: has no \{name\}/),
  ]);
  const wrong = { zones: ['*.example.com'], issuer: 'x', targets: [{ cluster: 'y' }] };
  expect(mistakes(write({ registration: wrong }))).toEqual([
    expect.stringMatching(/^registration\.zones\[0\]: is a wildcard; write example.com/),
    expect.stringMatching(/^registration\.issuer: "x" is not a key of issuers/),
    expect.stringMatching(/^registration\.targets\[0\]\.cluster: "y" is not a key of clusters/),
  ]);
});

test('issuers that stand in for others are known, each is named once, and a rehearsal is at another CA', () => {
  const issuers = {
    default: { directory: 'https://ca.example/dir', agreeToTerms: true, rehearsal: 'copy' },
    copy: { directory: 'https://ca.example/dir', agreeToTerms: true, attempts: 0 },
    other: { directory: 'https://other.example/dir', agreeToTerms: true, rehearsal: 'nobody' },
  };
  const certificates = [
    { name: 'a', domains: ['a.example.com'], fallbackIssuers: ['other', 'none', 'default', 'other'] },
    { name: 'b', domains: ['b.example.com'], fallbackIssuers: [] },
  ];
  expect(mistakes(write({ issuers, certificates }))).toEqual([
    'issuers.copy.attempts: is less than 1; write at least 1',
    'certificates[1].fallbackIssuers: is empty; write keys of issuers, or leave out fallbackIssuers',
    expect.stringMatching(/^issuers\.other\.rehearsal: "nobody" is not a key of issuers/),
    expect.stringMatching(/^certificates\[0\]\.fallbackIssuers\[1\]: "none" is not a key of issuers/),
    'certificates[0].fallbackIssuers[2]: repeats issuer "default"; leave it out',
    'certificates[0].fallbackIssuers[3]: repeats issuer "other"; leave it out',
    expect.stringMatching(/^issuers\.default\.rehearsal: has the same directory/),
  ]);
});

test('what is written of a certificate is what is kept: rotateKey always is the default', () => {
  const one = (more: object) =>
    read(write({ certificates: [{ name: 'a', domains: ['a.example.com'], ...more }] })).certificates[0];
  expect(one({ rotateKey: 'never' })?.rotateKey).toBe('never');
  expect(one({ rotateKey: 'always' })).toEqual(one({}));
});

test('names that every object has are not references', () => {
  const certificates = [{ name: 'a', domains: ['a.example.com'], issuer: 'constructor' }];
  expect(mistakes(write({ certificates }))).toEqual([
    expect.stringContaining('"constructor" is not a key of issuers'),
  ]);
});

describe('text that is no inventory is refused with its line', () => {
  test.each([
    ['nothing', '', 'top level: is empty'],
    ['a comment', '# certificates\n', 'top level: is empty'],
    ['a list', '- a\n', 'top level: is a list; write a mapping'],
    ['a word', 'certificates', 'top level: is "certificates"; write a mapping'],
    ['an open bracket', 'issuers:\n  a: [', 'line 2, column 7: is not YAML'],
    ['a key twice', 'issuers: {}\nissuers: {}\n', 'line 2, column 1: is not YAML: duplicated mapping key'],
    ['two documents', 'issuers: {}\n---\nissuers: {}\n', 'line 2, column 1: is not YAML'],
    ['two documents, each begun', '# a\n---\nissuers: {}\n---\n{}\n', 'line 4, column 1: is not YAML'],
    ['a bracket too many', 'issuers: {}}\n', 'line 1, column 12: is not YAML'],
    [
      'an unknown key',
      'issuers: {}\ncertificate: []\n',
      'certificate: is not a known key; known keys: issuers, clusters',
    ],
    [
      'a wildcard without quotes',
      'domains: [a.example,\n  *.example.com]',
      'write a wildcard name in quotes: "*.example.com"',
    ],
    ['20,000 brackets', '['.repeat(20_000), 'is nested far too deep'],
    ['17 million characters', '#'.repeat(17_000_000), 'is over 16000000 characters'],
    ['aliases that unfold to a billion', bomb(9), 'has aliases that expand to far too much'],
    ['an anchor that holds itself', 'issuers: &a { default: *a }', '*a stands inside of what &a names'],
    ['a list that holds itself', 'certificates: &a [*a]\n', '*a stands inside of what &a names'],
    [
      'a merge conflict',
      'issuers: {}\n<<<<<<< HEAD\ncertificates: []\n=======\nclusters: {}\n',
      'line 2, column 1: is not YAML: this line is left of a merge conflict',
    ],
    [
      'a no-break space',
      'clusters:\n  lab:\u00a0{}\n  prod: {}\n',
      'line 2, column 7: is not YAML: this space is a special one',
    ],
    ['UTF-16', '\ufffd\ufffdi\0s\0s\0u\0', 'line 1, column 1: is not YAML: it has null bytes, as UTF-16'],
  ])('%s', (_, text, problem) => {
    const told = mistakes(text);
    expect(told[0]).toContain(problem);
    expect(told.length).toBeLessThan(10);
  });

  test('and any text gives an inventory or mistakes', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' })), (text) => {
        const parsed = parseInventory(text);
        if ('problems' in parsed) expect(parsed.problems.length).toBeGreaterThan(0);
      }),
      { numRuns: 50 },
    );
  });
});

test('each alias without its anchor is told, and each mistake has the line of its value or of what is around it', () => {
  expect(mistakes('a: *one\nb: [\n  *.two.example]\n')).toEqual([
    expect.stringMatching(/^line 1, column 4: \*one is an alias without an anchor/),
    expect.stringMatching(/^line 3, column 3: .* write a wildcard name in quotes: "\*\.two\.example"/),
  ]);
  const text = `issuers:
  default: &le { agreeToTerms: true }
certificates:
  # a comment
  - name: shop
    domains: [shop.example.com]
    key: rsa-1024
  - &other
    "name": Other
    domains:
      - other.example.com
      - bad name
    targets:
      - cluster:
  - domains: [third.example.com]
`;
  const parsed = parseInventory(text);
  const lines = 'problems' in parsed ? parsed.problems.map(({ path, line }) => [path, line]) : [];
  expect(lines).toEqual(
    expect.arrayContaining([
      ['certificates[0].key', 7],
      ['certificates[1].name', 9],
      ['certificates[1].domains[1]', 12],
      ['certificates[2].name', 15],
    ]),
  );
  expect(lines.map(([, line]) => line)).toEqual(
    lines.map(([, line]) => line).toSorted((a, b) => Number(a) - Number(b)),
  );
});

test('aliases may be used where they help', () => {
  const inventory = read(`
issuers: { default: &le { agreeToTerms: true }, other: *le }
`);
  expect(inventory.issuers.other).toEqual(inventory.issuers.default);
});

test('an inventory that is written and read again is the same', () => {
  fc.assert(
    fc.property(inventories, (inventory) => {
      expect(read(serializeInventory(inventory))).toEqual(inventory);
    }),
    { numRuns: 50 },
  );
});

function bomb(levels: number): string {
  const rows = Array.from({ length: levels }, (_, level) => {
    const items = Array.from({ length: 10 }, () => (level === 0 ? 'x' : `*a${level - 1}`));
    return `a${level}: &a${level} [${items.join(', ')}]`;
  });
  return rows.join('\n');
}

describe('what is served is looked at', () => {
  test.each<[string, unknown, unknown]>([
    ['where DNS says', undefined, undefined],
    ['nowhere', false, false],
    ['at a port', { port: 8443 }, { port: 8443 }],
    [
      'at addresses',
      { addresses: ['203.0.113.7', '203.0.113.7:65535', '2001:DB8::7', '[::1]:1'] },
      {
        addresses: [
          { address: '203.0.113.7' },
          { address: '203.0.113.7', port: 65_535 },
          { address: '2001:db8::7' },
          { address: '::1', port: 1 },
        ],
      },
    ],
    ['under a name of a wildcard', { names: ['WWW.shop.example.com'] }, { names: ['www.shop.example.com'] }],
  ])('%s', (_, probe, expected) => {
    const domains = ['shop.example.com', '*.shop.example.com'];
    expect(certificate({ domains, ...(probe === undefined ? {} : { probe }) })?.probe).toEqual(expected);
  });

  test.each<[unknown, string]>([
    [true, 'probe: is true; write false, or a mapping'],
    [{ addresses: [] }, 'probe.addresses: is empty'],
    [
      { addresses: ['shop.example.com'] },
      'probe.addresses[0]: "shop.example.com" is not an IP address; use e.g.',
    ],
    [{ addresses: ['203.0.113.7:0'] }, 'is not an IP address'],
    [{ addresses: ['203.0.113.7:65536'] }, 'is not an IP address'],
    [{ addresses: ['[203.0.113.7]:443'] }, 'is not an IP address'],
    [{ addresses: ['203.0.113.256'] }, 'is not an IP address'],
    [{ addresses: ['[fe80::1%eth0]:443'] }, 'is not an IP address'],
    [{ port: 0 }, 'probe.port: is not a port'],
    [{ port: 65_536 }, 'probe.port: is not a port'],
    [{ names: ['*.shop.example.com'] }, 'probe.names[0]: is a wildcard'],
    [
      { names: ['www.shop.example.com'] },
      'probe.names[0]: www.shop.example.com is not covered by the domains',
    ],
    [{ hosts: ['shop.example.com'] }, 'probe.hosts: is not a known key; known keys: addresses, port, names'],
  ])('never at %j', (probe, mistake) => {
    expect(certificateMistakes({ probe })).toEqual([expect.stringContaining(mistake)]);
  });

  test('at what a target tells, in a cluster or in ACM, unless nothing is looked at', () => {
    const places = [
      { cluster: 'lab', namespace: 'shop', addresses: ['10.0.0.7', '[2001:DB8::7]:8443'] },
      { acm: { region: 'us-east-1' }, addresses: ['203.0.113.7'] },
    ];
    expect(certificate({ targets: places })?.targets.map(({ addresses }) => addresses)).toEqual([
      [{ address: '10.0.0.7' }, { address: '2001:db8::7', port: 8443 }],
      [{ address: '203.0.113.7' }],
    ]);
    expect(certificateMistakes({ targets: places, probe: false })).toEqual([
      expect.stringContaining('targets[0].addresses: are never probed, because "probe" is false'),
      expect.stringContaining('targets[1].addresses: are never probed, because "probe" is false'),
    ]);
  });
});

test.for([
  ['aws-cn', 'cn-northwest-1'],
  ['aws-us-gov', 'us-gov-east-1'],
  ['aws-eusc', 'eusc-de-east-1'],
  ['aws-iso', 'us-iso-east-1'],
  ['aws-iso-b', 'us-isob-east-1'],
  ['aws-iso-e', 'eu-isoe-west-1'],
  ['aws-iso-f', 'us-isof-south-1'],
])('clusters of EKS, roles and certificates in ACM may be in partition %s', ([partition, region]) => {
  const roleArn = `arn:${partition}:iam::123456789012:role/clusters`;
  const eks = { name: 'prod', region, roleArn };
  const acm = { region, arn: `arn:${partition}:acm:${region}:123456789012:certificate/12345678-abcd` };
  const shop = { name: 'shop', domains: ['shop.example.com'], targets: [{ acm }] };
  const zones = [{ match: 'example.com', roleArn }];
  const inventory = read(write({ clusters: { prod: { eks } }, certificates: [shop], dns: { zones } }));
  expect(inventory.clusters.prod).toMatchObject({ eks });
  expect(inventory.certificates[0]?.targets).toMatchObject([{ acm }]);
});
