// What a person can break in a running sandbox, and mend: `npm run sandbox -- break NAME`.
import { randomUUID } from 'node:crypto';
import {
  ChangeResourceRecordSetsCommand,
  ListHostedZonesByNameCommand,
  Route53Client,
} from '@aws-sdk/client-route-53';
import { writeCertificate } from '../../lib/adapters/secrets-manager/values.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { encodeState } from '../../lib/state/codec/tags.ts';
import { stateOf } from '../../lib/state/describe.ts';
import { mintChain } from '../minting/certificates.ts';
import type { Fault } from './faults.ts';
import type { Service } from './journal.ts';
import type { SandboxKubernetes } from './kubernetes/server.ts';
import type { OperatedSandbox } from './operated.ts';
import { accessKeyOf } from './principal.ts';
import { clusterName, prefix } from './sandbox.ts';

/** Puts right what was broken. */
type Mend = () => void | Promise<void>;

/** One thing that can be broken. */
export interface Trouble {
  /** What is so while it is broken. */
  readonly what: string;
  begin(sandbox: OperatedSandbox): Mend | Promise<Mend>;
}

const dayMs = 86_400_000;
const namespace = 'shop';
const busy = { kind: 'error', code: 'ThrottlingException', status: 400, message: 'Rate exceeded' } as const;

/** By name, as people type it. */
export const troubles: Readonly<Record<string, Trouble>> = {
  cluster: {
    what: 'the API server of cluster lab answers nobody',
    begin: fail('kubernetes', { kind: 'drop' }),
  },
  token: {
    what: 'cluster lab no longer knows the token in Certrelay’s kubeconfig',
    begin({ kubernetes, secretsManager }) {
      kubernetes.exchangeToken('certrelay');
      return () => {
        const secret = secretsManager.vault.mustFind(`${prefix}/clusters/${clusterName}`);
        secret.addVersion(randomUUID(), { text: kubernetes.kubeconfig('certrelay') }, undefined);
      };
    },
  },
  rights: {
    what: 'none of Certrelay’s roles is bound in namespace shop',
    begin({ kubernetes }) {
      const bindings = listIn(kubernetes, ['rolebindings']);
      for (const { metadata } of bindings) kubernetes.remove('rolebindings', namespace, metadata.name);
      return () => {
        for (const binding of bindings) kubernetes.restore(binding);
      };
    },
  },
  namespace: {
    what: 'namespace shop is deleted, and all that was in it; mended, it has all but Secrets again',
    begin({ kubernetes }) {
      const kept = listIn(kubernetes, ['rolebindings', 'deployments']);
      kubernetes.remove('namespaces', '', namespace);
      return () => {
        kubernetes.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
        for (const object of kept) kubernetes.restore(object);
      };
    },
  },
  pods: {
    what: 'the pods of Deployment shop/web do not become ready',
    begin({ failingPods }) {
      failingPods.add('web');
      return () => void failingPods.delete('web');
    },
  },
  zone: {
    what: 'the hosted zone example.com is not in Route 53',
    begin: ({ route53 }) => route53.takeZones('example.com'),
  },
  caa: {
    what: 'CAA of shop.example.com allows another CA alone',
    async begin(sandbox) {
      await changeCaa(sandbox, 'CREATE');
      return () => changeCaa(sandbox, 'DELETE');
    },
  },
  dns: { what: 'no name server answers', begin: fail('dns', { kind: 'drop' }) },
  route53: {
    what: 'Route 53 refuses each call as one too many',
    begin: fail('route53', { ...busy, code: 'Throttling' }),
  },
  ca: { what: 'the CA answers nobody', begin: fail('acme', { kind: 'drop' }) },
  'ca-refuses': {
    what: 'the CA refuses each order: its policy forbids the names',
    begin: failOrders({
      code: 'rejectedIdentifier',
      status: 400,
      message: 'policy forbids issuing for these names',
    }),
  },
  'ca-limits': {
    what: 'the CA refuses each order: too many certificates of late',
    begin: failOrders({
      code: 'rateLimited',
      status: 429,
      message: 'too many certificates already issued for "example.com" in the last 168h0m0s',
      headers: { 'retry-after': '3600' },
    }),
  },
  'ca-pauses': {
    what: 'the CA has paused shop.example.com until a person acts there',
    begin({ authority: { settings } }) {
      settings.pausedNames.add('shop.example.com');
      return () => void settings.pausedNames.delete('shop.example.com');
    },
  },
  secrets: { what: 'Secrets Manager refuses each call as one too many', begin: fail('secretsmanager', busy) },
  'agent-silent': {
    what: 'the agent of cluster edge has ended, and was last seen three hours ago',
    begin({ agent, secretsManager }) {
      agent.stop();
      const secret = secretsManager.vault.mustFind(`${prefix}/agents/edge`);
      secret.setTags([['certrelay:lastSeen', new Date(Date.now() - dayMs / 8).toISOString()]]);
      return () => agent.start();
    },
  },
  'agent-failing': {
    what: 'the API server of cluster edge answers its agent nothing',
    begin: ({ edgeFaults }) => edgeFaults.set('kubernetes', '*', { kind: 'drop' }, Infinity),
  },
  orphan: {
    what: 'a certificate that the inventory no longer has, former, expired two days ago',
    async begin(sandbox) {
      await store(sandbox, { name: 'former', domains: ['former.example.com'], endsInDays: -2 });
      return () => {
        const { vault } = sandbox.secretsManager;
        const secret = vault.find(`${prefix}/certificates/former`);
        if (secret) vault.remove(secret);
      };
    },
  },
  held: {
    what: 'a certificate that the inventory no longer has, fallen, expired a day ago, and a target still holds it',
    async begin(sandbox) {
      await store(sandbox, { name: 'fallen', domains: ['fallen.example.com'], endsInDays: -1 });
      const { vault } = sandbox.secretsManager;
      const secret = vault.mustFind(`${prefix}/certificates/fallen`);
      const [version = ''] = secret.versions.keys();
      const deployed = { version, targets: '00000000', phases: ['rolled-out'] } as const;
      const deliveredTo = [`${clusterName}/${namespace}/fallen-tls`];
      secret.setTags(Object.entries(encodeState({ deployed, deliveredTo })));
      return () => vault.remove(secret);
    },
  },
  old: {
    what: 'the certificate of shop ends in two days, as if nobody had renewed it',
    async begin(sandbox) {
      await store(sandbox, {
        name: 'shop',
        domains: ['shop.example.com', '*.shop.example.com'],
        endsInDays: 2,
      });
      return async () => void (await invoke(sandbox, 'issue', { certificates: ['shop'] }));
    },
  },
  pause: {
    what: 'somebody has paused shop and forgotten it',
    async begin(sandbox) {
      await invoke(sandbox, 'pause', { certificates: ['shop'], reason: 'moving, back on Monday' });
      return async () => void (await invoke(sandbox, 'pause', { certificates: ['shop'], resume: true }));
    },
  },
};

/** Makes or removes the CAA record of another CA, as the owner of the zone would. */
async function changeCaa({ route53 }: OperatedSandbox, Action: 'CREATE' | 'DELETE'): Promise<void> {
  const client = new Route53Client({
    endpoint: route53.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: accessKeyOf('operator'), secretAccessKey: 'none' },
  });
  const found = await client.send(new ListHostedZonesByNameCommand({ DNSName: 'example.com' }));
  const ResourceRecords = [{ Value: '0 issue "other-ca.example"' }];
  const ResourceRecordSet = { Name: 'shop.example.com', Type: 'CAA', TTL: 60, ResourceRecords } as const;
  await client.send(
    new ChangeResourceRecordSetsCommand({
      HostedZoneId: found.HostedZones?.find(({ Name }) => Name === 'example.com.')?.Id,
      ChangeBatch: { Changes: [{ Action, ResourceRecordSet }] },
    }),
  );
  client.destroy();
}

function fail(service: Service, fault: Fault): Trouble['begin'] {
  return ({ faults }) => faults.set(service, '*', fault, Infinity);
}

function failOrders(fault: Omit<Extract<Fault, { kind: 'error' }>, 'kind'>): Trouble['begin'] {
  return ({ faults }) => faults.set('acme', 'newOrder', { kind: 'error', ...fault }, Infinity);
}

function listIn({ list }: Pick<SandboxKubernetes, 'list'>, resources: readonly string[]) {
  return resources.flatMap((resource) =>
    list(resource).filter(({ metadata }) => metadata.namespace === namespace),
  );
}

/** @throws Error with what the function failed with. */
async function invoke({ lambda }: OperatedSandbox, name: string, event: object): Promise<unknown> {
  const { answer, error } = await lambda.invoke(name, event);
  if (error) throw new Error(`${name} failed: ${error.errorMessage}`);
  return answer;
}

/** Stores a certificate as `issue` would have, ninety days before its end. */
async function store(
  { secretsManager: { vault }, authority }: OperatedSandbox,
  {
    name,
    domains,
    endsInDays,
  }: { readonly name: string; readonly domains: readonly string[]; readonly endsInDays: number },
): Promise<void> {
  const notAfter = new Date(Date.now() + endsInDays * dayMs);
  const notBefore = new Date(notAfter.getTime() - 90 * dayMs);
  const { chain, key } = await mintChain({ domains, notBefore, notAfter });
  const stored = { chain, key, issuer: authority.directory };
  const version = randomUUID();
  const id = `${prefix}/certificates/${name}`;
  const secret = vault.find(id) ?? vault.make(id);
  secret.addVersion(version, { text: writeCertificate(stored) }, ['AWSCURRENT']);
  secret.setTags(Object.entries(encodeState(stateOf(version, readCertificate(chain), stored))));
}
