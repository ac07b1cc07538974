// The end of infra/rbac.yaml: a kubeconfig with the token of a ServiceAccount, made as the file says.

import { execFile } from 'node:child_process';
import { mkdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { manifestOf } from '../contracts/kubernetes-harness.ts';
import { readPage, top } from '../docs/markdown.ts';
import { realClock } from '../fakes/clock.ts';
import { silentLog } from '../fakes/log.ts';
import { type Kubectl, openKubectl } from './kubectl.ts';
import { type Kubernetes, startKubernetes } from './parts/kubernetes.ts';
import { kubernetesParts, missing, mustLocate } from './parts/locate.ts';
import { makeDirectory, removeDirectory } from './parts/process.ts';

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

    test('has a token with which Secrets are written in the namespace that is bound, and in no other', async () => {
      const rbac = await readFile(new URL('../../infra/rbac.yaml', import.meta.url), 'utf8');
      await kubectl.run(['apply', '-f', '-'], await readServiceAccount());
      await kubectl.run(['apply', '-f', '-'], takeVariant(rbac));
      // The cluster takes a moment to make it.
      await expect.poll(() => kubectl.run(askToken).catch(() => '')).not.toBe('');
      const token = Buffer.from(await kubectl.run(askToken), 'base64').toString();
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
        message: expect.stringContaining('user "system:serviceaccount:certrelay:certrelay" may not'),
      });
      await cluster.close();
    });

    test('the kubeconfig of docs/clusters.md signs in as the ServiceAccount, and holds nothing of the administrator', async () => {
      await kubectl.run(['apply', '-f', '-'], await readServiceAccount());
      await expect.poll(() => kubectl.run(askToken).catch(() => '')).not.toBe('');
      const kubeconfig = await followPage(kubernetes.adminKubeconfig);
      expect(kubeconfig.match(/- name: /g)).toHaveLength(1);
      const access = readKubeconfig('lab', kubeconfig);
      const cluster = connectCluster({ name: 'lab', access, clock: realClock, log: silentLog });
      await expect(
        cluster.readSecret('kube-public', 'web', AbortSignal.timeout(10_000)),
      ).rejects.toMatchObject({
        code: 'Forbidden',
        message: expect.stringContaining('user "system:serviceaccount:certrelay:certrelay" may not'),
      });
      await cluster.close();
    });
  });
}

/** Runs the commands of docs/clusters.md that make a kubeconfig, as an administrator of the cluster does.
 *  Returns what they wrote. */
async function followPage(adminKubeconfig: string): Promise<string> {
  const page = readPage('docs/clusters.md', await readFile(join(top, 'docs/clusters.md'), 'utf8'));
  const [block] = page.blocks.filter(({ text }) => text.startsWith('server=$(kubectl'));
  const home = await makeDirectory('service-account');
  const bin = join(home, 'bin');
  await mkdir(bin);
  await symlink(mustLocate('kubectl'), join(bin, 'kubectl'));
  const KUBECONFIG = join(home, 'admin.kubeconfig');
  await writeFile(KUBECONFIG, adminKubeconfig);
  try {
    const env = { HOME: home, KUBECONFIG, PATH: `${bin}${delimiter}${process.env.PATH ?? ''}` };
    await promisify(execFile)('sh', ['-eu', '-c', block?.text ?? 'exit 1'], { cwd: home, env });
    return await readFile(join(home, 'lab.kubeconfig'), 'utf8');
  } finally {
    await removeDirectory(home);
  }
}

const askToken = ['-n', 'certrelay', 'get', 'secret', 'certrelay-token', '-o', 'jsonpath={.data.token}'];

function readServiceAccount(): Promise<string> {
  return readFile(new URL('../../infra/service-account.yaml', import.meta.url), 'utf8');
}

/** The file with the binding that it shows, its User exchanged for the ServiceAccount. */
function takeVariant(rbac: string): string {
  const lines = rbac.split('\n');
  const begin = lines.findIndex((line) => line.startsWith('# For a kubeconfig with a token'));
  const binding = lines.indexOf('#---');
  const bare = (line: string) => line.replace(/^#/, '');
  const kept = [...lines.slice(0, binding), ...lines.slice(binding, begin - 3).map(bare)];
  return [...kept, ...lines.slice(begin + 1).map(bare)].join('\n');
}
