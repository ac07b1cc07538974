// The real control plane, with its controllers and RBAC, against the contract that the sandbox's double is
// held to.
import { test } from 'vitest';
import { describeKubernetes } from '../contracts/kubernetes.ts';
import { startKubernetes } from './parts/kubernetes.ts';
import { kubernetesParts, missing } from './parts/locate.ts';

const absent = missing(kubernetesParts);

if (absent.length === 0) {
  describeKubernetes('real Kubernetes', async () => {
    const cluster = await startKubernetes({ users: ['certrelay'] });
    return { kubeconfig: (user) => cluster.kubeconfigFor(user), stop: () => cluster.stop() };
  });
} else {
  test.todo(`Kubernetes: run test/real/install ${absent.join(' ')}`);
}
