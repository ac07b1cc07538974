// The JSON Schema that editors check the inventory by, against the code: it refuses nothing that the code
// takes, and of forty mistakes all but those that no schema can say.
import { Ajv } from 'ajv';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { parseInventory, serializeInventory } from '../../lib/inventory/inventory.ts';
import { renderJsonSchema } from '../../lib/inventory/schema.ts';
import { inventories } from './inventories.ts';

const schema: unknown = JSON.parse(renderJsonSchema());
const isValid = new Ajv({ strict: false, allErrors: true }).compile(Object(schema));

/** What both say of a file. */
function ask(text: string): { readonly linter: boolean; readonly schema: boolean } {
  return { linter: 'inventory' in parseInventory(text), schema: isValid(parse(text)) };
}

/** An inventory that is right, with most keys. `change` makes one thing of it wrong. */
const right = `
issuers:
  default: { directory: letsencrypt-staging, agreeToTerms: true, contact: [ops@example.com], rehearsal: test }
  test: { directory: "https://ca.example.com/dir", agreeToTerms: true, attempts: 2, caaIdentity: ca.example.com }
clusters:
  lab: { kubeconfig: { secret: "{prefix}/clusters/lab" }, timeoutSeconds: 10, prune: [shop] }
  prod: { eks: { name: prod, region: eu-west-1 }, server: "https://10.0.0.1:6443" }
certificates:
  - name: shop
    domains: [shop.example.com, "*.shop.example.com"]
    renewBefore: 30d
    probe: { addresses: [203.0.113.7, "[2001:db8::7]:8443"], port: 443, names: [www.shop.example.com] }
    targets:
      - cluster: lab
        namespace: shop
        secret: shop-tls
        labels: { team: web }
        restart: [Deployment/web]
        rollout: { canary: Deployment/canary, waves: 2, deadline: 10m, windows: [Sat 02:00-04:00 Europe/Berlin] }
      - { acm: { region: us-east-1 } }
registration:
  zones: [customers.example.com]
  restarts: [auto, Deployment/web]
  targets: [{ cluster: lab, namespace: edge, secret: "{name}-tls" }]
discovery:
  places: [lab/shop]
  zones: [shop.example.com]
notifications:
  - webhook: { url: "https://ops.example.com/hooks", secret: "{prefix}/notify/ops" }
    digest: "Mon 08:00 Europe/Berlin"
dns:
  zones: [{ match: example.net, roleArn: "arn:aws:iam::210987654321:role/dns" }]
tags: { cost-centre: "42" }
kmsKey: arn:aws:kms:eu-central-1:123456789012:key/mrk-0123456789abcdef0123456789abcdef
`;

type Change = readonly [what: string, from: string, to: string];

const mistakes: readonly Change[] = [
  ['a key that there is not', 'renewBefore: 30d', 'renewBfore: 30d'],
  ['a tag that is ours', 'cost-centre: "42"', 'certrelay:source: "42"'],
  ['a tag whose value is a number', 'cost-centre: "42"', 'cost-centre: 42'],
  ['six tags', 'cost-centre: "42"', 'a: x, b: x, c: x, d: x, e: x, f: x'],
  ['an alias of a KMS key', 'key/mrk-0123456789abcdef0123456789abcdef', 'alias/certificates'],
  ['a section that there is not', 'registration:', 'registrations:'],
  [
    'no agreement to the terms',
    'directory: letsencrypt-staging, agreeToTerms: true,',
    'directory: letsencrypt-staging,',
  ],
  [
    'an agreement that is none',
    'letsencrypt-staging, agreeToTerms: true',
    'letsencrypt-staging, agreeToTerms: "yes"',
  ],
  ['a directory without TLS', '"https://ca.example.com/dir"', '"http://ca.example.com/dir"'],
  [
    'a directory that was switched off',
    '"https://ca.example.com/dir"',
    '"https://acme-v01.api.letsencrypt.org/directory"',
  ],
  ['a word for a directory that there is not', 'letsencrypt-staging', 'lets-encrypt'],
  ['a contact that is no mail address', 'ops@example.com', 'ops'],
  ['attempts in words', 'attempts: 2', 'attempts: two'],
  ['a CA’s name that is a wildcard', 'caaIdentity: ca.example.com', 'caaIdentity: "*.example.com"'],
  ['a name with a space', 'prod: { eks', '"p rod": { eks'],
  ['a cluster with two ways in', 'timeoutSeconds: 10', 'agent: true'],
  ['a cluster without a way in', 'eks: { name: prod, region: eu-west-1 }, ', ''],
  ['an AWS secret with a space', '"{prefix}/clusters/lab"', '"certrelay/clusters/l ab"'],
  ['a region in words', 'region: eu-west-1', 'region: Ireland'],
  ['a server without TLS', '"https://10.0.0.1:6443"', '"http://10.0.0.1:6443"'],
  ['a server with a user', '"https://10.0.0.1:6443"', '"https://me:secret@10.0.0.1:6443"'],
  ['a timeout of nothing', 'timeoutSeconds: 10', 'timeoutSeconds: 0'],
  ['a name in capitals', 'name: shop\n', 'name: Shop\n'],
  ['no domain', '[shop.example.com, "*.shop.example.com"]', '[]'],
  ['a domain with an underscore', '[shop.example.com,', '[my_shop.example.com,'],
  ['a domain with a path', '[shop.example.com,', '[shop.example.com/cart,'],
  ['a domain with a star inside', '"*.shop.example.com"]', '"a*.shop.example.com"]'],
  ['an IP address for a domain', '[shop.example.com,', '[203.0.113.7,'],
  ['a domain of one label', '[shop.example.com,', '[localhost,'],
  ['a duration without a unit', 'renewBefore: 30d', 'renewBefore: 30'],
  ['a host name to probe at', '203.0.113.7,', 'web.example.com,'],
  ['a port that there is not', 'port: 443', 'port: 70000'],
  [
    'addresses of a target that is never probed',
    'probe: { addresses: [203.0.113.7, "[2001:db8::7]:8443"], port: 443, names: [www.shop.example.com] }\n    targets:\n      - cluster: lab',
    'probe: false\n    targets:\n      - addresses: [203.0.113.7]\n        cluster: lab',
  ],
  ['a Secret with a slash', 'secret: shop-tls', 'secret: shop/tls'],
  ['a format that there is not', 'secret: shop-tls', 'secret: shop-tls\n        format: jks'],
  ['a keystore without a password', 'secret: shop-tls', 'secret: shop-tls\n        format: pkcs12'],
  [
    'a password of a Secret that has none',
    'secret: shop-tls',
    'secret: shop-tls\n        password: { secret: certrelay/passwords/a }',
  ],
  ['keys of another format', 'secret: shop-tls', 'secret: shop-tls\n        keys: { pem: all.pem }'],
  ['half of the keys', 'secret: shop-tls', 'secret: shop-tls\n        keys: { cert: a.crt }'],
  ['a label of Certrelay’s own', 'team: web', 'certrelay.dev/team: web'],
  ['a workload that cannot restart', '[Deployment/web]', '[Job/web]'],
  ['a window without a time', 'Sat 02:00-04:00', 'Sat'],
  ['a deadline in days', 'deadline: 10m', 'deadline: 1d'],
  ['a target in two places', 'acm: { region: us-east-1 }', 'acm: { region: us-east-1 }, cluster: lab'],
  ['a registration without zones', '  zones: [customers.example.com]\n', ''],
  ['one Secret for all who register', 'secret: "{name}-tls"', 'secret: edge-tls'],
  ['a zone that is a wildcard', '[customers.example.com]', '["*.customers.example.com"]'],
  ['a place without a namespace', '[lab/shop]', '[lab]'],
  ['discovery without zones', 'places: [lab/shop]\n  zones: [shop.example.com]', 'places: [lab/shop]'],
  ['a channel of two kinds', '    digest: "Mon', '    email: true\n    digest: "Mon'],
  [
    'a channel of no kind',
    '  - webhook: { url: "https://ops.example.com/hooks", secret: "{prefix}/notify/ops" }\n    digest',
    '  - digest',
  ],
  ['a webhook without TLS', '"https://ops.example.com/hooks"', '"http://ops.example.com/hooks"'],
  ['a digest without a zone', '"Mon 08:00 Europe/Berlin"', '"Mon 08:00"'],
  ['a role that is a user', ':role/dns', ':user/dns'],
];

/** What joins two places of the file, or needs a list of the world, no schema can say. */
const unsayable: readonly Change[] = [
  ['an issuer that is not defined', 'rehearsal: test', 'rehearsal: tset'],
  ['a cluster that is not defined', '- cluster: lab', '- cluster: lob'],
  [
    'two certificates of one name',
    'registration:',
    '  - { name: shop, domains: [other.example.com] }\nregistration:',
  ],
  [
    'two targets for one Secret',
    '- { acm:',
    '- { cluster: lab, namespace: shop, secret: shop-tls }\n      - { acm:',
  ],
  [
    'a name beside the wildcard that covers it',
    '[shop.example.com,',
    '[shop.example.com, a.shop.example.com,',
  ],
  ['a name to probe that is not covered', '[www.shop.example.com]', '[www.example.com]'],
  ['a public suffix', '[customers.example.com]', '[co.uk]'],
  ['a time zone that there is not', 'Europe/Berlin', 'Europe/Berlim'],
  ['a window that is never open', '02:00-04:00', '02:00-02:00'],
  [
    'an ARN of another region',
    'region: us-east-1 }',
    'region: us-east-1, arn: "arn:aws:acm:eu-west-1:123456789012:certificate/a" }',
  ],
];

function change([, from, to]: Change): string {
  expect(right).toContain(from);
  return right.replace(from, () => to);
}

describe('the JSON Schema', () => {
  it('takes an inventory that is right', () => {
    expect(isValid(parse(right)), JSON.stringify(isValid.errors)).toBe(true);
    expect(ask(right)).toEqual({ linter: true, schema: true });
    expect(mistakes.length).toBeGreaterThanOrEqual(40);
  });

  test.for(mistakes)('refuses what the code refuses: %s', (mistake) => {
    expect(ask(change(mistake))).toEqual({ linter: false, schema: false });
  });

  test.for(unsayable)('cannot say, and the code does: %s', (mistake) => {
    expect(ask(change(mistake))).toEqual({ linter: false, schema: true });
  });

  test.for([
    [
      'domains in one text',
      '[shop.example.com, "*.shop.example.com"]',
      '"Shop.Example.COM  *.shop.example.com."',
    ],
    [
      'names of other scripts',
      '"*.shop.example.com"]',
      '"*.shop.example.com", bücher.example, 例え.テスト.example, "shop。example.org"]',
    ],
    ['a punycode name', '"*.shop.example.com"]', '"*.shop.example.com", xn--bcher-kva.example]'],
    ['a contact with its scheme', 'ops@example.com', '"MAILTO:ops+tls@example.com"'],
    [
      'a directory with a port and a query',
      '"https://ca.example.com/dir"',
      '"HTTPS://ca.example.com:14000/dir?x=a@b"',
    ],
    [
      'another production of the CA',
      '"https://ca.example.com/dir"',
      '"https://acme-v02.api.letsencrypt.org/directory"',
    ],
    ['an address of IPv6 alone', '203.0.113.7,', '"2001:DB8::7",'],
    ['a window of all days, over midnight', 'Sat 02:00-04:00 Europe/Berlin', '"22:00 - 24:00"'],
    ['a window of some days', 'Sat 02:00-04:00 Europe/Berlin', '"mon-Fri,sun 22:00-05:00"'],
    ['a workload as a mapping', '[Deployment/web]', '[{ kind: StatefulSet, name: db.main }]'],
    [
      'a keystore',
      'secret: shop-tls',
      'secret: shop-tls\n        format: pkcs12\n        password: { secret: a/b }\n        keys: { keystore: a.p12 }',
    ],
    [
      'keys of the default format',
      'secret: shop-tls',
      'secret: shop-tls\n        keys: { cert: a, key: b, chain: c }',
    ],
    ['a template with two names in it', '"{name}-tls"', '"{name}.{name}-tls"'],
    [
      'a tenant with zones of its own',
      'places: [lab/shop]\n  zones: [shop.example.com]',
      'places: [{ place: lab/shop, zones: [shop.example.com] }]',
    ],
    [
      'nowhere to probe',
      'probe: { addresses: [203.0.113.7, "[2001:db8::7]:8443"], port: 443, names: [www.shop.example.com] }',
      'probe: false',
    ],
    ['a label with a prefix', 'team: web', 'example.com/team: web'],
    [
      'an agent’s cluster',
      'eks: { name: prod, region: eu-west-1 }, server: "https://10.0.0.1:6443"',
      'agent: true',
    ],
    ['a proxy', 'timeoutSeconds: 10', 'proxy: "http://egress.example.com:3128"'],
  ] as const)('takes what the code takes: %s', (spelling) => {
    expect(ask(change(spelling))).toEqual({ linter: true, schema: true });
  });

  it('takes every inventory that the code writes', () => {
    fc.assert(
      fc.property(inventories, (inventory) => {
        const written: unknown = parse(serializeInventory(inventory));
        expect(isValid(written), `${JSON.stringify(isValid.errors)}\n${stringify(written)}`).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  it('describes every key', () => {
    const silent: string[] = [];
    const walk = (part: unknown, path: string): void => {
      if (typeof part !== 'object' || part === null) return;
      for (const [key, value] of Object.entries(part)) {
        // Rules for what may stand together repeat keys that are described where they are defined.
        if (['allOf', 'then', 'if', 'oneOf'].includes(key)) continue;
        if (key === 'properties' && !path.endsWith('/properties')) {
          for (const [name, own] of Object.entries(Object(value)))
            if (typeof Object(own).description !== 'string') silent.push(`${path}/${name}`);
        }
        walk(value, `${path}/${key}`);
      }
    };
    walk(schema, '');
    expect(silent).toEqual([]);
  });
});
