// Measures deliveries into the sandbox's cluster: what they ask of its API, and over how many connections.

import { writeCertificate } from '../../lib/adapters/secrets-manager/values.ts';
import { mintChain } from '../minting/certificates.ts';
import { deploymentUsing } from '../minting/workloads.ts';
import type { Call } from '../sandbox/journal.ts';
import { clusterName, prefix, type Sandbox, type SandboxOptions } from '../sandbox/sandbox.ts';
import { invoke } from './quiet-sandbox.ts';

const dayMs = 86_400_000;
const namespaces = ['edge', 'shop'];
const domains = ['shop.example.com'];

/** One run of the deploy function over one certificate with a target in each of two namespaces, each with a
 *  Deployment that uses it. */
export interface DeliveryCalls {
  readonly targets: number;
  /** Of each target: calls about its Secret and its workload. */
  readonly perTarget: readonly number[];
  /** The first list of each workload kind and namespace. */
  readonly lists: number;
  /** Lists made again, to see how a rollout goes on. */
  readonly repeatedLists: number;
  readonly connections: number;
}

/** What the sandbox must start with. */
export const deliverySandbox: SandboxOptions = {
  namespaces,
  manifests: namespaces.map((namespace) => deploymentUsing(namespace, 'web', 'shop-tls')).join('\n---\n'),
  certificates: [
    {
      name: 'shop',
      domains,
      targets: namespaces.map((namespace) => ({ cluster: clusterName, namespace, secret: 'shop-tls' })),
    },
  ],
};

/** Stores a new certificate in place of the one before; gives the time at which it does, as
 *  `performance.now()`. */
export async function renew({ secretsManager: { vault }, authority }: Sandbox): Promise<number> {
  const [notBefore, notAfter] = [new Date(Date.now() - dayMs), new Date(Date.now() + 89 * dayMs)];
  const { chain, key } = await mintChain({ domains, notBefore, notAfter });
  const secretName = `${prefix}/certificates/shop`;
  const secret = vault.find(secretName) ?? vault.make(secretName);
  const text = writeCertificate({ chain, key, issuer: authority.directory });
  const startedAt = performance.now();
  secret.addVersion(crypto.randomUUID(), { text }, undefined);
  return startedAt;
}

export async function measureDelivery(sandbox: Sandbox): Promise<DeliveryCalls> {
  const before = sandbox.kubernetes.connections();
  const { calls } = await invoke(sandbox, 'deploy', { certificates: ['shop'] });
  const asked = calls.filter(({ service }) => service === 'kubernetes');
  const isList = ({ action }: Call) => action.startsWith('list ');
  const lists = asked.filter(isList);
  const distinct = new Set(lists.map(({ resource }) => resource)).size;
  return {
    targets: namespaces.length,
    perTarget: namespaces.map(
      (namespace) =>
        asked.filter((call) => !isList(call) && call.resource.includes(`/namespaces/${namespace}/`)).length,
    ),
    lists: distinct,
    repeatedLists: lists.length - distinct,
    connections: sandbox.kubernetes.connections() - before,
  };
}
