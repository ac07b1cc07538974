// What of a stored specification today's inventory would not accept, and whether the lines that are named
// make it fit.
import { describe, expect, it, test } from 'vitest';
import { parse as parseYaml, stringify } from 'yaml';
import type { Inventory, TargetSpec } from '../../lib/certificate/spec.ts';
import type { StoredSpec } from '../../lib/certificate/stored.ts';
import { nameOfSecret } from '../../lib/inventory/discovery.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { createFit } from '../../lib/policy/registration/fit.ts';
import { describeMisfit } from '../../lib/policy/registration/misfits.ts';
import { targetsKey } from '../../lib/state/targets.ts';
import { targetOf } from '../minting/targets.ts';

type Sections = Readonly<Record<string, unknown>>;

const registration = {
  zones: ['customers.example.com'],
  targets: [{ cluster: 'lab', namespace: 'edge' }, { acm: { region: 'us-east-1' } }],
};
const discovery = {
  places: [
    'lab/plain',
    { place: 'lab/team', zones: ['team.example.com'] },
    { place: 'lab/wild', wildcards: true },
  ],
  zones: ['example.com'],
};
const own = {
  name: 'own',
  domains: ['own.customers.example.com'],
  targets: [{ cluster: 'lab', namespace: 'edge', secret: 'own-tls' }],
};

function read(sections: Sections): Inventory {
  const cluster = { kubeconfig: { secret: 'certrelay/clusters/lab' } };
  const text = stringify({
    issuers: {
      default: { agreeToTerms: true },
      narrow: { agreeToTerms: true, onlyFor: ['lab/narrow', 'prod'] },
    },
    clusters: { lab: cluster, prod: cluster },
    ...sections,
  });
  const parsed = parseInventory(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory;
}

const edge = targetOf({ namespace: 'edge', secret: 'a-tls' });

function ask(change: Partial<StoredSpec> = {}): StoredSpec {
  const base = { name: 'a', domains: ['a.customers.example.com'], issuer: 'default', key: 'ecdsa-p256' };
  return { ...base, key: 'ecdsa-p256', targets: [edge], source: 'registration', ...change };
}

function find(namespace: string, ...domains: readonly string[]): StoredSpec {
  const target = targetOf({ namespace, secret: 'web', restart: 'none' });
  return ask({ name: nameOfSecret(target), domains, targets: [target], source: 'discovery' });
}

const db = [{ kind: 'Deployment' as const, name: 'db' }];
const all: Sections = { registration, discovery, certificates: [own] };

describe('fits', () => {
  test.each<[string, StoredSpec, Sections?]>([
    ['what the webhook may be asked for', ask()],
    [
      'a zone itself and a wildcard of the webhook',
      ask({ domains: ['customers.example.com', '*.customers.example.com'] }),
      { registration },
    ],
    ["the operator's ACM target", ask({ targets: [{ acm: { region: 'us-east-1' } }] })],
    [
      'no restart, or only of what must',
      ask({
        targets: [
          { ...edge, restart: 'none' },
          { ...edge, secret: 'b', restart: 'needed' },
        ],
      }),
    ],
    [
      "the operator's own restart where senders may ask for others",
      ask({ targets: [{ ...edge, restart: db }] }),
      {
        registration: {
          ...registration,
          restarts: ['auto'],
          targets: [{ cluster: 'lab', namespace: 'edge', restart: ['Deployment/db'] }],
        },
      },
    ],
    ['a wildcard below which the file has got a name', ask({ domains: ['*.customers.example.com'] })],
    ['an issuer and a key that the section had before', ask({ issuer: 'other', key: 'rsa-2048' })],
    [
      'what is called and formed otherwise than registration says now',
      ask({ targets: [{ ...edge, secret: 'old-name', format: 'ployst', adopt: true }] }),
    ],
    ['a plain place, with apex and wildcard', find('plain', 'example.com', '*.example.com')],
    ['a place with its own zones', find('team', 'a.team.example.com')],
    ['a place that may have wildcards', find('wild', '*.a.example.com')],
    [
      'whatever a person imported by hand',
      ask({ domains: ['a.test'], targets: [targetOf({ namespace: 'x', restart: db })], source: 'import' }),
      {},
    ],
  ])('%s', (_, spec, sections = all) => {
    expect(createFit(read(sections)).ofSpec(spec)).toEqual([]);
  });
});

/** What does not fit, and the line for it; no line where nothing allows it. */
const misfits: [string, StoredSpec, string, Sections?][] = [
  [
    'webhook: no section',
    ask(),
    'registration: { zones: [a.customers.example.com], targets: [{ cluster: lab, namespace: edge }] }',
    { discovery },
  ],
  [
    'webhook: another zone',
    ask({ domains: ['a.elsewhere.test', '*.b.elsewhere.test'] }),
    '- b.elsewhere.test',
  ],
  [
    'webhook: another namespace',
    ask({ targets: [targetOf({ namespace: 'kube-system' })] }),
    '- { cluster: lab, namespace: kube-system }',
  ],
  [
    'webhook: another cluster',
    ask({ targets: [{ ...edge, cluster: 'prod' }] }),
    '- { cluster: prod, namespace: edge }',
  ],
  ['webhook: a workload', ask({ targets: [{ ...edge, restart: db }] }), 'restarts: [auto, Deployment/db]'],
  [
    'webhook: a word',
    ask({ targets: [{ ...edge, restart: 'auto' }] }),
    'restarts: [none, auto]',
    {
      registration: {
        ...registration,
        restarts: ['none'],
        targets: [{ cluster: 'lab', namespace: 'edge', restart: 'none' }],
      },
    },
  ],
  [
    'webhook: another region of ACM',
    ask({ targets: [{ acm: { region: 'eu-west-1' } }] }),
    '- { acm: { region: eu-west-1 } }',
  ],
  ['webhook: an issuer that is for other places', ask({ issuer: 'narrow' }), '- lab/edge'],
  [
    'discovery: no section',
    find('plain', 'a.example.com'),
    'discovery: { places: [lab/plain], zones: [a.example.com] }',
    { registration },
  ],
  ['discovery: a place that is gone', find('other', 'a.example.com'), '- lab/other'],
  ['discovery: another zone', find('plain', 'a.elsewhere.test'), '- a.elsewhere.test'],
  ["discovery: outside the place's own zones", find('team', 'a.example.com'), '- a.example.com'],
  ['discovery: a wildcard', find('team', '*.team.example.com'), 'wildcards: true'],
  ['discovery: a zone itself', find('wild', 'example.com'), 'apex: true'],
];

/** The sections with one line more. */
function add(sections: Sections, { to, line }: { readonly to: string; readonly line: string }): Sections {
  const copy = structuredClone({ issuers: {}, ...sections });
  if (to.startsWith('issuers.')) {
    return {
      ...copy,
      issuers: {
        default: { agreeToTerms: true },
        narrow: { agreeToTerms: true, onlyFor: ['lab/narrow', 'prod', line.slice(2)] },
      },
    };
  }
  const parsed = parseYaml(line);
  const steps = to === 'the inventory' ? [] : to.split(/\.|\[|\]/).filter((step) => step !== '');
  let at: unknown = copy;
  for (const step of steps) at = isRecord(at) ? at[step] : undefined;
  if (Array.isArray(at) && Array.isArray(parsed)) at.push(...parsed);
  else if (isRecord(at) && isRecord(parsed)) Object.assign(at, parsed);
  const { issuers: _, ...rest } = copy;
  return rest;
}

describe('does not fit', () => {
  test.each<[string, StoredSpec, string, Sections?]>(misfits)('%s', (_, spec, line, sections = all) => {
    const found = createFit(read(sections)).ofSpec(spec);
    expect(found.map(({ addition }) => addition?.line)).toContain(line);
    expect(found.map(describeMisfit).join()).toContain(`add "${line}" to `);
  });

  test.each<[string, StoredSpec, string, Sections?]>(
    misfits,
  )('and does once the lines are added: %s', (_, spec, _line, sections = all) => {
    let now = sections;
    for (let round = 0; round < 3; round += 1) {
      for (const { addition } of createFit(read(now)).ofSpec(spec)) if (addition) now = add(now, addition);
    }
    expect(createFit(read(now)).ofSpec(spec)).toEqual([]);
  });

  test.each<[string, StoredSpec, string]>([
    [
      'a name of the inventory file',
      ask({ domains: own.domains }),
      'own.customers.example.com belongs to certificate own of the inventory file',
    ],
    [
      'a Secret of the inventory file',
      ask({ targets: [{ ...edge, secret: 'own-tls' }] }),
      'Secret lab/edge/own-tls belongs to certificate own of the inventory file',
    ],
    [
      'a workload that no object can ask for',
      { ...find('plain', 'a.example.com'), targets: [targetOf({ namespace: 'plain', restart: db })] },
      'Deployment/db may not be requested',
    ],
    [
      'a target in ACM that no object can ask for',
      {
        ...find('plain', 'a.example.com'),
        targets: [targetOf({ namespace: 'plain' }), { acm: { region: 'us-east-1' } }],
      },
      'may not be asked for',
    ],
    [
      'a second place',
      {
        ...find('plain', 'a.example.com'),
        targets: [targetOf({ namespace: 'plain' }), targetOf({ namespace: 'team' })],
      },
      'may not be requested',
    ],
  ])('%s, which no line allows', (_, spec, message) => {
    const found = createFit(read(all)).ofSpec(spec);
    expect(found.map(({ message: said }) => said)).toEqual([expect.stringContaining(message)]);
    expect(found[0]?.addition).toBeUndefined();
  });
});

describe('by tags', () => {
  const tagged = (spec: StoredSpec, more: { readonly targets?: readonly TargetSpec[] } = {}) => ({
    name: spec.name,
    source: spec.source,
    domains: spec.domains,
    targets: targetsKey(more.targets ?? spec.targets),
  });

  it('nothing is blamed that the specification is not, and what names tell is', () => {
    const specs = [
      ...misfits.map(([, spec, , sections]) => ({ spec, sections })),
      { spec: find('wild', '*.a.example.com'), sections: undefined },
    ];
    for (const { spec, sections = all } of specs) {
      const fit = createFit(read(sections));
      const lines = fit.ofSpec(spec).map(({ message }) => message);
      const { found } = fit.ofTags(tagged(spec));
      const isGone = found.some(({ message }) => /no section|does not name/.test(message));
      if (isGone) expect(lines.some((one) => /no section|does not name/.test(one))).toBe(true);
      else for (const { message } of found) expect(lines).toContain(message);
    }
    const fit = createFit(read(all));
    expect(fit.ofTags(tagged(ask({ domains: ['a.test'] }))).found).toHaveLength(1);
    expect(fit.ofTags(tagged(find('other', 'a.example.com'))).found).toHaveLength(1);
  });

  it("is sure of targets that are the operator's own, and of none that a sender chose", () => {
    const fit = createFit(read({ registration, issuers: { default: { agreeToTerms: true } } }));
    const usual: readonly TargetSpec[] = [edge, { acm: { region: 'us-east-1' } }];
    expect(fit.ofTags(tagged(ask(), { targets: usual }))).toEqual({ found: [], isSure: true });
    expect(fit.ofTags(tagged(ask(), { targets: [edge] }))).toEqual({ found: [], isSure: false });
  });

  it('a place whose name begins as that of another is told apart as far as a name tells', () => {
    const places = [
      { place: 'lab/a', zones: ['a.test'] },
      { place: 'lab/a-b', zones: ['b.test'] },
    ];
    const fit = createFit(read({ discovery: { places } }));
    expect(fit.ofTags(tagged(find('a-b', 'x.b.test'))).found).toEqual([]);
    expect(fit.ofTags(tagged(find('a', 'x.b.test'))).found).not.toEqual([]);
  });
});

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
