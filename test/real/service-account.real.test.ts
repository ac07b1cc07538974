// The end of infra/rbac.yaml: a kubeconfig with the token of a ServiceAccount, made as the file says.

import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { manifestOf } from '../contracts/kubernetes-harness.ts';
import { realClock } from '../fakes/clock.ts';
import { silentLog } from '../fakes/log.ts';
import { type Kubectl, openKubectl } from './kubectl.ts';
import { type Kubernetes, startKubernetes } from './parts/kubernetes.ts';
import { kubernetesParts, missing } from './parts/locate.ts';

const absent = missing([...kubernetesParts, 'kubectl']);

if (absent.length > 0) {
  test.todo(`a ServiceAccount for deploy: run test/real/install ${absent.join(' ')}`);
} else {
  describe('a ServiceAccount made as infra/rbac.yaml says', () => {
    let kubernetes: Kubernetes;
    let kubectl: Kubectl;
    beforeAll(async () => {
      kubernetes = await startKubernetes({ users: ['certrelay'] });
      kubectl = await openKubectl(kubernetes.adminKubeconfig);
    });
    afterAll(async () => {
      await kubectl?.close();
      await kubernetes?.stop();
    });

    test('has a token with which Secrets are written in its namespace, and in no other', async () => {
      const rbac = await readFile(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8');
      const { manifest, command } = takeVariant(rbac);
      await kubectl.run(['apply', '-f', '-'], manifest);
      // The cluster takes a moment to make it.
      await expect.poll(() => kubectl.run(command).catch(() => ''), { timeout: 10_000 }).not.toBe('');
      const token = await kubectl.run(command);
      const kubeconfig = kubernetes.kubeconfigFor('certrelay').replace(/("token": ")[^"]+/, `$1${token}`);
      const cluster = connectCluster({
        name: 'lab',
        access: readKubeconfig('lab', kubeconfig),
        clock: realClock,
        log: silentLog,
      });
      const signal = AbortSignal.timeout(10_000);
      const first = { manager: 'certrelay' } as const;
      expect(await cluster.applySecret(manifestOf('default', { a: '1' }), first, signal)).toMatchObject({
        owned: { data: ['a'] },
      });
      await expect(cluster.readSecret('kube-system', 'web', signal)).rejects.toMatchObject({
        code: 'Forbidden',
        message: expect.stringContaining('user "system:serviceaccount:default:certrelay" may not'),
      });
      await cluster.close();
    });
  });
}

/** The file with the binding that it shows, its User exchanged for its ServiceAccount, and the arguments of
 *  the command that prints the token. */
function takeVariant(rbac: string): { readonly manifest: string; readonly command: readonly string[] } {
  const lines = rbac.split('\n');
  const begin = lines.findIndex((line) => line.startsWith('# For a kubeconfig with a token'));
  const printing = lines.findIndex((line) => line.startsWith('#   kubectl '));
  const binding = lines.indexOf('#---');
  const bare = (line: string) => line.replace(/^#/, '');
  const kept = [...lines.slice(0, binding), ...lines.slice(binding, begin - 3).map(bare)];
  const shown = lines.slice(printing + 1).map(bare);
  const [, options = '', template = ''] =
    /kubectl (.*) -o go-template='(.*)'/.exec(lines[printing] ?? '') ?? [];
  return {
    manifest: [...kept, ...shown].join('\n'),
    command: [...options.split(' '), '-o', `go-template=${template}`],
  };
}
