// What each source of specifications may ask for: places of `discovery` as tenants, and the webhook.
import { describe, expect, it } from 'vitest';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { parseRequestedSecret, type RequestedSecret } from '../../lib/inventory/discovery.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { rulesOf } from '../../lib/inventory/source-rules.ts';

function write(discovery: object, more: object = {}): string {
  return JSON.stringify({
    issuers: {
      default: { agreeToTerms: true },
      trial: { agreeToTerms: true },
      spare: { agreeToTerms: true },
    },
    clusters: { lab: { kubeconfig: { secret: 'certrelay/clusters/lab' } } },
    discovery,
    ...more,
  });
}

function read(text: string): Inventory {
  const parsed = parseInventory(text);
  if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
  return parsed.inventory;
}

function mistakes(text: string): readonly string[] {
  const parsed = parseInventory(text);
  return 'problems' in parsed ? parsed.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

function ask(inventory: Inventory, place: string, ...domains: readonly string[]) {
  const [cluster = '', namespace = ''] = place.split('/');
  const asked: RequestedSecret = { cluster, namespace, secret: 'web-tls', domains, restart: 'none' };
  const parsed = parseRequestedSecret(asked, inventory);
  return 'problems' in parsed ? parsed.problems.map(({ message }) => message).join('; ') : parsed.spec;
}

const inventory = read(
  write({
    places: [
      'lab/plain',
      { place: 'lab/shop', zones: ['shop.example.com', 'shop.example.org'], issuer: 'trial' },
      { place: 'lab/team', wildcards: true, apex: true },
      { place: 'lab/wild', zones: ['wild.example.com'], wildcards: true },
    ],
    zones: ['example.com'],
    fallbackIssuers: ['spare'],
    key: 'rsa-2048',
  }),
);

describe('a place of discovery', () => {
  it.each([
    ['lab/plain', 'example.com'],
    ['lab/plain', '*.example.com'],
    ['lab/shop', 'a.shop.example.com'],
    ['lab/shop', 'a.b.shop.example.org'],
    ['lab/team', 'example.com'],
    ['lab/team', '*.a.example.com'],
    ['lab/wild', '*.wild.example.com'],
  ])('%s may ask for %s', (place, domain) => {
    expect(ask(inventory, place, domain)).toMatchObject({ domains: [domain] });
  });

  it.each([
    [
      'lab/shop',
      'a.example.com',
      'a.example.com is not in the allowed zones: shop.example.com, shop.example.org',
    ],
    ['lab/shop', 'evilshop.example.com', 'is not in'],
    ['lab/shop', 'shop.example.com', 'is a zone itself; only names below it may be requested here'],
    ['lab/shop', '*.a.shop.example.com', 'is a wildcard, which may not be requested here'],
    ['lab/shop', '*.shop.example.com', 'is a wildcard, which may not be requested here'],
    ['lab/wild', 'wild.example.com', 'is a zone itself'],
    ['lab/wild', '*.example.com', 'is not in the allowed zones: wild.example.com'],
    ['lab/other', 'a.example.com', 'discovery.places does not list lab/other'],
  ])('%s may not ask for %s', (place, domain, message) => {
    expect(ask(inventory, place, domain)).toEqual(expect.stringContaining(message));
  });

  it('has the issuers of discovery unless it has its own, for which those of discovery do not stand in', () => {
    expect(ask(inventory, 'lab/team', 'a.example.com')).toMatchObject({
      issuer: 'default',
      fallbackIssuers: ['spare'],
      key: 'rsa-2048',
    });
    const own = ask(inventory, 'lab/shop', 'a.shop.example.com');
    expect(own).toMatchObject({ issuer: 'trial', key: 'rsa-2048' });
    expect(own).not.toHaveProperty('fallbackIssuers');
  });

  it('needs no zones of discovery where each place has its own', () => {
    const own = [{ place: 'lab/shop', zones: ['shop.example.com'] }];
    expect(read(write({ places: own })).discovery?.zones).toEqual([]);
    expect(mistakes(write({ places: [...own, 'lab/plain'] }))).toEqual([
      'discovery.zones: is missing; write the zones that places without their own zones may request',
    ]);
  });

  it('in the plain form may be written twice as before, and a tenant may not', () => {
    const zones = ['example.com'];
    expect(mistakes(write({ places: ['lab/shop', 'lab/shop'], zones }))).toEqual([]);
    expect(mistakes(write({ places: ['lab/shop', { place: 'lab/shop' }], zones }))).toEqual([
      'discovery.places[1]: lab/shop is also discovery.places[0]; remove one of the two',
    ]);
  });

  it.each<[string, unknown, string]>([
    ['with an unknown key', { place: 'lab/shop', zone: ['a.example'] }, 'places[0].zone: is not a known key'],
    ['without a place', { zones: ['a.example'] }, 'places[0].place: is missing'],
    ['in no form', 7, 'places[0]: is 7; use e.g. lab/shop, or { place: lab/shop'],
    ['without zones that it names', { place: 'lab/shop', zones: [] }, 'places[0].zones: is empty'],
    [
      'of an unknown cluster',
      { place: 'prod/shop' },
      'places[0]: "prod" is not a key of clusters in this file',
    ],
    [
      'with an unknown issuer',
      { place: 'lab/shop', issuer: 'x' },
      'places[0].issuer: "x" is not a key of issuers',
    ],
    [
      'with fallbacks for an issuer that it does not name',
      { place: 'lab/shop', fallbackIssuers: ['spare'] },
      'places[0].fallbackIssuers: need an issuer of this place',
    ],
  ])('is refused %s', (_, place, message) => {
    expect(mistakes(write({ places: [place], zones: ['example.com'] }))).toEqual([
      expect.stringContaining(`discovery.${message}`),
    ]);
  });

  it('is refused an issuer that may not be used there, its own or that of discovery', () => {
    const issuers = {
      default: { agreeToTerms: true, onlyFor: ['lab/plain'] },
      trial: { agreeToTerms: true, onlyFor: ['lab/shop'] },
    };
    const places = [
      'lab/plain',
      { place: 'lab/shop', issuer: 'trial' },
      { place: 'lab/team', issuer: 'trial' },
    ];
    expect(mistakes(write({ places, zones: ['example.com'] }, { issuers }))).toEqual([
      'discovery.places[2]: is in lab/team, but issuer "trial" is only for lab/shop; use another issuer, or add lab/team to its onlyFor',
    ]);
  });
});

describe('the rules of a stored specification', () => {
  const target = { cluster: 'lab', namespace: 'shop', secret: 'a', format: 'tls' as const };
  const use = { restart: 'none', restartStrategy: 'annotation', adopt: false, replace: false } as const;
  const targets = [{ ...target, ...use }];

  it('are those of its place today, and none where the place or the section is gone', () => {
    expect(rulesOf({ source: 'discovery', targets }, inventory)).toMatchObject({
      source: 'lab/shop',
      zones: ['shop.example.com', 'shop.example.org'],
      issuer: 'trial',
      wildcards: false,
      apex: false,
    });
    const moved = [{ ...target, ...use, namespace: 'gone' }];
    expect(rulesOf({ source: 'discovery', targets: moved }, inventory)).toBe('gone');
    expect(rulesOf({ source: 'discovery', targets }, {})).toBe('gone');
    expect(rulesOf({ source: 'registration', targets }, inventory)).toBe('gone');
  });

  it('are none where a person imported it', () => {
    expect(rulesOf({ source: 'import', targets }, {})).toBe('unbound');
  });
});
