// Troubles of clusters and of the agent in one.
import { randomUUID } from 'node:crypto';
import type { SandboxKubernetes } from '../kubernetes/server.ts';
import { clusterName, prefix } from '../sandbox.ts';
import { type Breakage, failing, hourMs, type Trouble } from './trouble.ts';

const namespace = 'shop';
const kubeconfigSecret = `${prefix}/clusters/${clusterName}`;
/** An agent that was seen later than this reports again. */
const silentMs = 2 * hourMs;

/** By name, as people type it. */
export const clusterTroubles: Readonly<Record<string, Trouble>> = {
  cluster: {
    what: 'the API server of cluster lab answers nobody',
    shows: ['ClusterFailing', 'NotLookedAt'],
    begin: failing('kubernetes', { kind: 'drop' }),
  },
  'cluster-hangs': {
    what: 'the API server of cluster lab takes each request and never answers',
    shows: ['ClusterFailing', 'NotLookedAt'],
    begin: failing('kubernetes', { kind: 'hang' }),
  },
  token: {
    what: 'cluster lab no longer knows the token in Certrelay’s kubeconfig',
    shows: ['ClusterFailing'],
    begin({ kubernetes, secretsManager: { vault } }) {
      const token = kubernetes.exchangeToken('certrelay');
      const secret = vault.mustFind(kubeconfigSecret);
      return {
        isThere: () => {
          const stored = secret.versions.get(secret.labels.get('AWSCURRENT') ?? '')?.value.text ?? '';
          return !stored.includes(token);
        },
        mend: () => secret.addVersion(randomUUID(), { text: kubernetes.kubeconfig('certrelay') }, undefined),
      };
    },
  },
  rights: {
    what: 'none of Certrelay’s roles is bound in namespace shop',
    shows: ['Delivering', 'DeliveryFailing'],
    begin({ kubernetes, atStart }) {
      for (const { metadata } of listIn(kubernetes.list('rolebindings')))
        kubernetes.remove('rolebindings', namespace, metadata.name);
      return keeping(kubernetes, listIn(atStart.rolebindings));
    },
  },
  namespace: {
    what: 'namespace shop is deleted, and all that was in it; mended, it has all but Secrets again',
    shows: ['Delivering', 'DeliveryFailing'],
    begin({ kubernetes, atStart }) {
      if (hasNamespace(kubernetes)) kubernetes.remove('namespaces', '', namespace);
      const { isThere, mend } = keeping(
        kubernetes,
        listIn([...atStart.rolebindings, ...atStart.deployments]),
      );
      return {
        isThere: () => !hasNamespace(kubernetes) || isThere(),
        mend: () => {
          if (!hasNamespace(kubernetes))
            kubernetes.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
          return mend();
        },
      };
    },
  },
  pods: {
    what: 'the pods of Deployment shop/web do not become ready',
    shows: ['TakenBack'],
    begin({ failingPods }) {
      failingPods.add('web');
      return { mend: () => void failingPods.delete('web') };
    },
  },
  'agent-silent': {
    what: 'the agent of cluster edge has ended, and was last seen three hours ago',
    shows: ['AgentSilent'],
    begin({ agent, secretsManager: { vault } }) {
      agent.stop();
      const secret = vault.mustFind(`${prefix}/agents/edge`);
      const lastSeen = 'certrelay:lastSeen';
      secret.setTags([[lastSeen, new Date(Date.now() - 3 * hourMs).toISOString()]]);
      return {
        isThere: () => Date.now() - Date.parse(secret.tags.get(lastSeen) ?? '') > silentMs,
        mend: () => agent.start(),
      };
    },
  },
  'agent-failing': {
    what: 'the API server of cluster edge answers its agent nothing',
    shows: ['AgentFailing'],
    begin: ({ edgeFaults }) => ({ mend: edgeFaults.set('kubernetes', '*', { kind: 'drop' }, Infinity) }),
  },
};

type Objects = ReturnType<SandboxKubernetes['list']>;

function listIn(objects: Objects): Objects {
  return objects.filter(({ metadata }) => metadata.namespace === namespace);
}

function hasNamespace(kubernetes: SandboxKubernetes): boolean {
  return kubernetes.find('namespaces', '', namespace) !== undefined;
}

/** Broken while one of these objects is missing; a person may make them again with other contents. */
function keeping(kubernetes: SandboxKubernetes, objects: Objects): Required<Breakage> {
  const isMissing = ({ kind, metadata }: Objects[number]) =>
    !kubernetes.find(`${kind.toLowerCase()}s`, namespace, metadata.name);
  return {
    isThere: () => objects.some(isMissing),
    mend: () => {
      if (!hasNamespace(kubernetes)) throw new Error(`namespace ${namespace} is not there; mend it first`);
      for (const object of objects) if (isMissing(object)) kubernetes.restore(object);
    },
  };
}
