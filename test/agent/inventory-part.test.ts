// What an agent is given: its cluster's part of the inventory, an environment key by key, and few ways out.
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { printAgentInventory } from '../../infra/inventory/agent-inventory.ts';
import { cutInventory, partForAgent } from '../../lib/agent/scope.ts';
import type { Inventory } from '../../lib/certificate/spec.ts';
import { parseInventory, serializeInventory } from '../../lib/inventory/inventory.ts';
import { inventories } from '../inventory/inventories.ts';

const written = `
issuers:
  default: { directory: "https://ca.example/dir", agreeToTerms: true, contact: ["mailto:ops@example.com"], eab: { secret: certrelay/eab/acm } }
  other: { directory: "https://other.example/dir", agreeToTerms: true }
clusters:
  edge: { agent: true }
  prod: { eks: { name: prod, region: eu-west-1, roleArn: "arn:aws:iam::111111111111:role/eks" } }
dns:
  zones: [{ match: example.net, roleArn: "arn:aws:iam::222222222222:role/dns", externalId: hidden }]
certificates:
  - name: shop
    domains: [shop.example.com]
    targets:
      - { cluster: edge, namespace: shop, secret: shop-tls }
      - { cluster: prod, namespace: prod-shop, secret: prod-shop-tls }
  - name: bank
    domains: [bank.example.com]
    issuer: other
    targets: [{ cluster: prod, namespace: bank, secret: bank-tls }]
registration:
  zones: [customers.example.com]
  issuer: default
  targets: [{ cluster: edge, namespace: customers, secret: "{name}-tls" }, { cluster: prod, namespace: prod-customers, secret: "{name}-tls" }]
`;

async function writeWhole(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'certrelay-agent-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const file = join(folder, 'certificates.yaml');
  await writeFile(file, written);
  return file;
}

describe('the part of the inventory that an agent is given', () => {
  it('holds its own cluster and targets, and nothing of others or of how certificates are ordered', async () => {
    const file = await writeWhole();
    const { code, text } = await printAgentInventory(['edge', '--inventory', file]);
    expect(code).toBe(0);
    for (const own of ['shop-tls', 'customers.example.com', 'https://ca.example/dir', 'agent: true'])
      expect(text).toContain(own);
    for (const foreign of ['prod', 'bank', 'other', 'example.net', 'arn:', 'hidden', 'ops@', 'eab'])
      expect(text).not.toContain(foreign);
  });

  it('makes of every inventory what the agent would make of the whole', () => {
    fc.assert(
      fc.property(inventories, (whole) => {
        const inventory: Inventory = { ...whole, clusters: { ...whole.clusters, lab: { agent: true } } };
        const parsed = parseInventory(serializeInventory(partForAgent(inventory, 'lab')));
        if ('problems' in parsed) throw new Error(JSON.stringify(parsed.problems));
        const of = (one: Inventory) => cutInventory(one, 'lab', { inCluster: true });
        expect(of(parsed.inventory).certificates).toEqual(of(inventory).certificates);
        expect(of(parsed.inventory).clusters).toEqual(of(inventory).clusters);
      }),
      { numRuns: 100 },
    );
  });

  it.each([
    [['prod'], 2, 'does not say "agent: true" for a cluster "prod"'],
    [['nowhere'], 2, 'does not say "agent: true" for a cluster "nowhere"; it says so for edge'],
    [[], 2, 'name one cluster'],
    [['edge', '--all'], 2, "Unknown option '--all'"],
    [['--help'], 0, 'usage: npm run --silent inventory:agent'],
  ])('called with %j ends with %i and says what to do', async (args, expected, said) => {
    const file = await writeWhole();
    const { code, text } = await printAgentInventory([...args, '--inventory', file]);
    expect([code, text]).toEqual([expected, expect.stringContaining(said)]);
  });
});

describe('the manifests of the agent', () => {
  const read = async (name: string) => {
    const text = await readFile(join(import.meta.dirname, '../../infra/agent', name), 'utf8');
    return parseAllDocuments(text).map((document): unknown => document.toJS());
  };

  it.each(['deployment.yaml', 'cronjob.yaml'])('%s lists the environment key by key', async (name) => {
    const text = JSON.stringify(await read(name));
    expect(text).not.toContain('envFrom');
    const [, list = ''] = /"env":(\[.*?\}\])/.exec(text) ?? [];
    const keys = [...list.matchAll(/"name":"([A-Z][A-Z_]+)"/g)].map(([, key]) => key);
    expect(keys).toEqual(
      expect.arrayContaining(['CERTRELAY_CLUSTER', 'CERTRELAY_SIGNING_KEY', 'AWS_REGION']),
    );
    expect(keys.filter((key) => !/^(CERTRELAY_[A-Z_]+|AWS_REGION|LOG_LEVEL)$/.test(key ?? ''))).toEqual([]);
    expect(text).toContain('"enableServiceLinks":false');
  });

  it('let nothing in, and out by DNS, HTTPS and to Pod Identity alone, not to the machine’s own metadata', async () => {
    const policy = (await read('config.yaml')).find((one) => Object(one).kind === 'NetworkPolicy');
    const { policyTypes, ingress, egress } = Object(policy).spec;
    expect([policyTypes, ingress]).toEqual([['Ingress', 'Egress'], []]);
    const ports = egress.flatMap((rule: { ports: { port: number }[] }) => rule.ports.map(({ port }) => port));
    expect(ports).toEqual([53, 53, 443, 6443, 80]);
    const plain = egress.find((rule: { ports: { port: number }[] }) => rule.ports[0]?.port === 80);
    expect(plain.to.map((to: { ipBlock: { cidr: string } }) => to.ipBlock.cidr)).toEqual([
      '169.254.170.23/32',
      'fd00:ec2::23/128',
    ]);
    expect(JSON.stringify(egress)).toContain('"cidr":"0.0.0.0/0","except":["169.254.0.0/16"]');
  });
});
