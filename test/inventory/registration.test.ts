import { describe, expect, test } from 'vitest';
import type { Inventory, TargetSpec } from '../../lib/certificate/spec.ts';
import { nameAfter, parseRegistration } from '../../lib/inventory/registration.ts';

const edge: TargetSpec = {
  cluster: 'prod',
  namespace: 'edge',
  secret: '{name}-tls',
  format: 'tls',
  restart: 'auto',
  restartStrategy: 'annotation',
  adopt: true,
  replace: false,
};

const inventory = {
  issuers: { default: { directory: 'https://ca.example/dir', contact: [], agreeToTerms: true } },
  clusters: { prod: { kubeconfig: { secret: 'x' } } },
  certificates: [
    {
      name: 'own',
      domains: ['own.example.com'],
      issuer: 'default',
      key: 'ecdsa-p256',
      targets: [{ ...edge, secret: 'own-tls' }],
    },
  ],
  registration: { zones: ['customers.example.com'], issuer: 'default', key: 'rsa-2048', targets: [edge] },
} as const satisfies Inventory;

function mistakes(body: unknown, of: Inventory = inventory): readonly string[] {
  const parsed = parseRegistration(body, of);
  return 'problems' in parsed ? parsed.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

describe('a request gives a specification', () => {
  test('with name, issuer, key and targets of the inventory where it names none', () => {
    expect(parseRegistration({ domains: ['A.customers.example.com'] }, inventory)).toEqual({
      spec: {
        name: 'a-customers-example-com',
        domains: ['a.customers.example.com'],
        issuer: 'default',
        key: 'rsa-2048',
        targets: [{ ...edge, secret: 'a-customers-example-com-tls' }],
        source: 'registration',
      },
    });
  });

  test('with its own name and targets', () => {
    const targets = [
      { cluster: 'prod', namespace: 'edge', secret: 'x-{name}-{name}', format: 'ployst', restart: [] },
    ];
    expect(
      parseRegistration({ domains: ['a.customers.example.com'], name: 'a', targets }, inventory),
    ).toMatchObject({
      spec: {
        name: 'a',
        targets: [{ ...edge, secret: 'x-a-a', format: 'ployst', restart: 'none', adopt: false }],
      },
    });
    expect(parseRegistration({ domains: ['a.customers.example.com'], targets: [] }, inventory)).toMatchObject(
      {
        spec: { targets: [] },
      },
    );
  });

  test.each([
    ['by the same template', { secret: '{name}-tls' }, { adopt: true, replace: false }],
    ['by the same template, unsaid', {}, { adopt: true, replace: false }],
    ['in full', { secret: 'a-tls' }, { adopt: true, replace: false }],
    ['by the template of another target', { secret: '{name}-old' }, { adopt: false, replace: true }],
    ['of its own choosing', { secret: 'database-tls' }, { adopt: false, replace: false }],
    ['of another certificate', { secret: 'b-tls' }, { adopt: false, replace: false }],
    [
      'that is named in another namespace',
      { secret: 'a-old', namespace: 'shop' },
      { adopt: false, replace: false },
    ],
  ])('that takes over only what the inventory lets it: a Secret %s', (_, asked, takingOver) => {
    const targets = [
      edge,
      { ...edge, secret: '{name}-old', adopt: false, replace: true },
      { ...edge, namespace: 'shop', replace: true },
    ];
    const of = { ...inventory, registration: { ...inventory.registration, targets } };
    const body = {
      domains: ['a.customers.example.com'],
      name: 'a',
      targets: [{ cluster: 'prod', namespace: 'edge', ...asked }],
    };
    expect(parseRegistration(body, of)).toMatchObject({ spec: { targets: [takingOver] } });
  });

  test.each([
    'customers.example.com',
    '*.customers.example.com',
    'a.b.customers.example.com',
  ])('for %s in the zone customers.example.com', (domain) => {
    expect(mistakes({ domains: [domain] })).toEqual([]);
  });
});

test('a name of the inventory file is not refused for its Secret: whoever registers says that the name is taken', () => {
  const targets = [{ cluster: 'prod', namespace: 'edge' }];
  expect(mistakes({ domains: ['a.customers.example.com'], name: 'own', targets })).toEqual([]);
});

describe('a request is refused', () => {
  const domains = ['a.customers.example.com'];
  const place = { cluster: 'prod', namespace: 'edge' };
  test.each([
    [
      'for another zone',
      { domains: ['example.com'] },
      'domains[0]: example.com is not in the allowed zones: customers.example.com',
    ],
    [
      'for a zone that ends alike',
      { domains: ['evilcustomers.example.com'] },
      'is not in the allowed zones: customers.example.com',
    ],
    [
      'for a wildcard above the zone',
      { domains: ['*.example.com'] },
      'is not in the allowed zones: customers.example.com',
    ],
    ['without domains', {}, 'domains: is missing; write a list of DNS names'],
    ['with an empty list', { domains: [] }, 'has no name'],
    [
      'with an unknown field',
      { domains, issuer: 'other' },
      'issuer: is not a known key; known keys: name, domains, targets',
    ],
    ['with a bad name', { domains, name: '../x' }, 'name: "../x" is not a certificate name'],
    ['for another namespace', { domains, targets: [{ cluster: 'prod' }] }, 'allowed: prod/edge'],
    ['for another cluster', { domains, targets: [{ ...place, cluster: 'x' }] }, 'allowed: prod/edge'],
    [
      'that would take over a Secret',
      { domains, targets: [{ ...place, adopt: true }] },
      'adopt: is not a known key',
    ],
    [
      "for the Secret of the file's own",
      { domains, targets: [{ ...place, secret: 'own-tls' }] },
      'by certificate own',
    ],
    ['for one Secret twice', { domains, name: 'a', targets: [place, place] }, 'by certificate a'],
    [
      'that names a workload to restart',
      { domains, targets: [{ ...place, restart: ['Deployment/web'] }] },
      'targets[0].restart: Deployment/web may not be requested here; allowed: none, auto, needed',
    ],
    [
      'with a key that every object has',
      JSON.parse('{"domains": ["a.customers.example.com"], "__proto__": {"name": "x"}}'),
      '__proto__: is not a known key',
    ],
    ['with a number beyond all numbers', JSON.parse('{"domains": 1e999}'), 'domains: is '],
    [
      'with lists in lists',
      { domains: JSON.parse(`${'['.repeat(3000)}${']'.repeat(3000)}`) },
      'domains[0]: is a list; write text',
    ],
    [
      'with more targets than anybody has',
      {
        domains,
        targets: Array.from({ length: 101 }, (_, index) => ({ ...place, secret: `{name}-${index}` })),
      },
      'targets: has more than 100 entries; send fewer',
    ],
    ['that is no object', 'shop', 'top level: is "shop"; write a mapping'],
    ['that is null', null, 'top level: is empty; write a mapping'],
  ])('%s', (_, body, problem) => {
    expect(mistakes(body)).toEqual([expect.stringContaining(problem)]);
  });

  test('with every mistake at once', () => {
    const body = { domains: ['a.example.com', 'b.example.com'], targets: [{ cluster: 'lab' }] };
    expect(mistakes(body)).toHaveLength(3);
  });

  test('where the inventory has no registration', () => {
    const { registration: _, ...closed } = inventory;
    expect(mistakes({ domains }, closed)).toEqual([
      'top level: the inventory has no registration section, so it accepts no requests',
    ]);
  });
});

describe('restarts that registration allows', () => {
  const asked = (restart?: unknown) => ({
    domains: ['a.customers.example.com'],
    name: 'a',
    targets: [{ cluster: 'prod', namespace: 'edge', ...(restart === undefined ? {} : { restart }) }],
  });
  const of = (change: Partial<Inventory['registration']>): Inventory => ({
    ...inventory,
    registration: { ...inventory.registration, ...change },
  });
  const web = { kind: 'Deployment', name: 'web' } as const;

  test.each<[string, Partial<Inventory['registration']>, unknown, unknown]>([
    ['auto by itself', {}, undefined, 'auto'],
    ['less than auto', {}, 'needed', 'needed'],
    ['no restart at all', { restarts: [web] }, [], 'none'],
    ['a word that is allowed', { restarts: ['auto', 'needed'] }, 'needed', 'needed'],
    ['workloads that are allowed', { restarts: ['auto', web] }, ['Deployment/web'], [web]],
    ['nothing, where auto is not allowed', { restarts: ['none'] }, undefined, 'none'],
    ['only workloads, where nothing is said', { restarts: [web] }, undefined, 'none'],
    ["the operator's own for that namespace", { targets: [{ ...edge, restart: [web] }] }, [web], [web]],
  ])('may be named: %s', (_, change, restart, given) => {
    expect(parseRegistration(asked(restart), of(change))).toMatchObject({
      spec: { targets: [{ restart: given }] },
    });
  });

  test.each<[string, Partial<Inventory['registration']>, unknown]>([
    ['auto where others are allowed', { restarts: ['none'] }, 'auto'],
    ['needed where only workloads are allowed', { restarts: [web] }, 'needed'],
    ['a workload beside an allowed one', { restarts: [web] }, ['Deployment/web', 'Deployment/database']],
    ['the same name of another kind', { restarts: [web] }, ['StatefulSet/web']],
    [
      "the operator's own where others are allowed",
      { restarts: ['auto'], targets: [{ ...edge, restart: [web] }] },
      [web],
    ],
    [
      "the operator's own for another namespace",
      { targets: [edge, { ...edge, namespace: 'shop', restart: [web] }] },
      [web],
    ],
  ])('may not be named: %s', (_, change, restart) => {
    expect(mistakes(asked(restart), of(change))).toEqual([
      expect.stringContaining('may not be requested here'),
    ]);
  });
});

test('what is null is absent, in the request and in its targets', () => {
  const plain = { domains: ['a.customers.example.com'], targets: [{ cluster: 'prod', namespace: 'edge' }] };
  const nulls = {
    ...plain,
    name: null,
    targets: [{ ...plain.targets[0], secret: null, format: null, restart: null }],
  };
  expect(parseRegistration(nulls, inventory)).toEqual(parseRegistration(plain, inventory));
  expect(parseRegistration({ ...plain, targets: null }, inventory)).toEqual(
    parseRegistration({ domains: plain.domains }, inventory),
  );
});

test('of thousands of mistakes the first are told and the rest are counted, and none at length', () => {
  const domains = Array.from({ length: 10_000 }, (_, index) => `${'_'.repeat(300)}${index}`);
  const parsed = parseRegistration({ domains, ['x'.repeat(5000)]: 1 }, inventory);
  const problems = 'problems' in parsed ? parsed.problems : [];
  expect(problems).toHaveLength(21);
  expect(problems.at(-1)).toEqual({
    path: 'top level',
    message: expect.stringMatching(/^has 99\d\d more mistakes$/),
  });
  expect(JSON.stringify(problems).length).toBeLessThan(12_000);
});

describe('the name made of a domain', () => {
  test.each([
    ['shop.example.com', 'shop-example-com'],
    ['*.shop.example.com', 'wildcard-shop-example-com'],
    [`${'a'.repeat(55)}.example`, `${'a'.repeat(55)}-example`],
  ])('%s is %s', (domain, name) => {
    expect(nameAfter(domain)).toBe(name);
  });

  test.each([
    ['my-shop.example.com', /^my-shop-example-com-[0-9a-f]{8}$/],
    ['wildcard.shop.example.com', /^wildcard-shop-example-com-[0-9a-f]{8}$/],
    [`${'a'.repeat(56)}.example`, /^a{54}-[0-9a-f]{8}$/],
    [`${'a'.repeat(53)}.example.com`, /^a{53}-[0-9a-f]{8}$/],
  ])('%s carries a hash, because another domain could be called so too', (domain, name) => {
    expect(nameAfter(domain)).toMatch(name);
    expect(nameAfter(domain).length).toBeLessThanOrEqual(63);
  });

  test('is never that of another domain', () => {
    const alike = [
      'a.b.example',
      'a-b.example',
      'a.b-example.com',
      '*.a.example',
      'wildcard.a.example',
      'wildcard-a.example',
    ];
    expect(new Set(alike.map(nameAfter)).size).toBe(alike.length);
  });
});
