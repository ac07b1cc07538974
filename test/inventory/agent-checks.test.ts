// What the inventory may say of clusters that only an agent reaches.
import { expect, test } from 'vitest';
import { parseInventory } from '../../lib/inventory/inventory.ts';

/** `path: message` of each mistake in an inventory with these clusters, and a certificate that goes to all of
 *  them. */
function mistakesWith(clusters: Readonly<Record<string, object>>): readonly string[] {
  const targets = Object.keys(clusters).map((cluster) => ({ cluster, secret: 'shop-tls' }));
  const certificates = [{ name: 'shop', domains: ['shop.example.com'], targets }];
  const parsed = parseInventory(
    JSON.stringify({ issuers: { default: { agreeToTerms: true } }, clusters, certificates }),
  );
  return 'problems' in parsed ? parsed.problems.map(({ path, message }) => `${path}: ${message}`) : [];
}

const agent = { agent: true };
const kubeconfig = { kubeconfig: { secret: 'certrelay/clusters/lab' } };

test('W03 a cluster is reached by a kubeconfig or by its agent, and by one of them', () => {
  expect(mistakesWith({ lab: kubeconfig, edge: agent })).toEqual([]);
  const rule = 'clusters.lab: must set exactly one of kubeconfig, eks, inCluster, agent; it has';
  expect(mistakesWith({ lab: {} })).toEqual([`${rule} none`]);
  expect(mistakesWith({ lab: { ...kubeconfig, ...agent } })).toEqual([`${rule} more than one`]);
  expect(mistakesWith({ lab: { agent: false } })).toEqual([
    'clusters.lab.agent: must be true; write true, or leave it out',
  ]);
});

test('W02 two agents’ names that AWS would take for one are refused', () => {
  expect(mistakesWith({ edge: agent, Edge: kubeconfig })).toEqual([]);
  expect(mistakesWith({ edge: agent, Edge: agent })).toEqual([
    expect.stringMatching(/^clusters\.Edge: differs from edge only in case/),
  ]);
});

test('a certificate goes to four agents at most, and to any number of other clusters', () => {
  const agents = (count: number) =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`edge-${index}`, agent]));
  expect(mistakesWith({ ...agents(4), lab: kubeconfig })).toEqual([]);
  expect(mistakesWith(agents(5))).toEqual([
    expect.stringMatching(/^certificates\[0\]\.targets: go to 5 clusters that only agents reach/),
  ]);
});
