// Kubeconfigs as kubectl reads them: what it accepts is accepted, but for what runs programs, reads files or
// trusts blindly.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { realClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { mintServingCertificate } from '../sandbox/tls.ts';
import { openKubectl } from './kubectl.ts';
import { type Kubernetes, startKubernetes } from './parts/kubernetes.ts';
import { kubernetesParts, missing } from './parts/locate.ts';

interface Entry {
  readonly name: string;
  readonly cluster?: object;
  readonly user?: object;
}

/** A kubeconfig whose only context is current. */
interface Config {
  readonly contexts: readonly Entry[];
  readonly clusters: readonly [Entry];
  readonly users: readonly [Entry];
}

const absent = missing([...kubernetesParts, 'kubectl']);
const pair = await mintServingCertificate('one');
const other = await mintServingCertificate('other');
const base64 = (text: string) => Buffer.from(text).toString('base64');

const withUser = (config: Config, user: object): string => {
  const [first] = config.users;
  return stringify({ ...config, users: [{ ...first, user: { ...first.user, ...user } }] });
};
const withCluster = (config: Config, cluster: object): string => {
  const [first] = config.clusters;
  return stringify({ ...config, clusters: [{ ...first, cluster: { ...first.cluster, ...cluster } }] });
};
const certificate = base64(pair.cert);

const cases: readonly [string, 'both' | 'neither' | 'kubectl' | 'Certrelay', (config: Config) => string][] = [
  ['as it is', 'both', (config) => stringify(config)],
  ['JSON', 'both', (config) => JSON.stringify(config)],
  ['a field twice', 'both', (config) => `current-context: nowhere\n${stringify(config)}`],
  ['null where nothing is', 'both', (config) => withUser(config, { exec: null, 'client-key-data': null })],
  [
    'empty text',
    'both',
    (config) => withUser(config, { tokenFile: '', as: '', 'client-certificate-data': '' }),
  ],
  ['empty lists', 'both', (config) => withUser(config, { 'as-groups': [] })],
  ['an empty proxy', 'both', (config) => withCluster(config, { 'proxy-url': '', 'tls-server-name': null })],
  ['no kind', 'both', (config) => stringify({ ...config, kind: undefined, apiVersion: undefined })],
  [
    'a user that is not in use and runs a program',
    'both',
    (config) =>
      stringify({ ...config, users: [{ name: 'x', user: { exec: { command: 'sh' } } }, ...config.users] }),
  ],
  [
    'a context that is not in use, of nobody',
    'both',
    (config) => stringify({ ...config, contexts: [{ name: 'x', context: null }, ...config.contexts] }),
  ],
  [
    'a key without its certificate',
    'both',
    (config) => withUser(config, { 'client-key-data': base64(pair.key) }),
  ],
  [
    'a key of another certificate',
    'neither',
    (config) =>
      withUser(config, { 'client-certificate-data': certificate, 'client-key-data': base64(other.key) }),
  ],
  [
    'a certificate without its key',
    'neither',
    (config) => withUser(config, { 'client-certificate-data': certificate }),
  ],
  ['lists that are null', 'neither', (config) => stringify({ ...config, clusters: null, users: null })],
  ['a token with a line break', 'neither', (config) => withUser(config, { token: 'a\nb' })],
  [
    'another authority',
    'neither',
    (config) => withCluster(config, { 'certificate-authority-data': base64(other.ca) }),
  ],
  [
    'a server that is not checked',
    'kubectl',
    (config) => withCluster(config, { 'certificate-authority-data': null, 'insecure-skip-tls-verify': true }),
  ],
  [
    'an alias',
    'kubectl',
    (config) => `preferences: &none {}\nextensions: []\nx: *none\n${stringify(config)}`,
  ],
  [
    'two users of one name, of which the first is right',
    'Certrelay',
    (config) => stringify({ ...config, users: [...config.users, { name: config.users[0].name, user: {} }] }),
  ],
  [
    'a user that is not in use and cannot be read',
    'Certrelay',
    (config) => stringify({ ...config, users: [{ name: 'x', user: { token: 5 } }, ...config.users] }),
  ],
];

if (absent.length > 0) {
  test.todo(`kubeconfigs as kubectl reads them: run test/real/install ${absent.join(' ')}`);
} else {
  describe('who accepts a kubeconfig with', () => {
    let kubernetes: Kubernetes;
    beforeAll(async () => {
      kubernetes = await startKubernetes();
    });
    afterAll(() => kubernetes.stop());

    test.for(cases)('%s: %s', async ([, who, change]) => {
      const source = change(parse(kubernetes.adminKubeconfig));
      const accepted = {
        kubectl: await askByKubectl(source),
        Certrelay: await ask(source),
      };
      expect(accepted).toEqual({
        kubectl: who === 'both' || who === 'kubectl',
        Certrelay: who === 'both' || who === 'Certrelay',
      });
    });
  });
}

/** Whether kubectl reads with it. */
async function askByKubectl(source: string): Promise<boolean> {
  const kubectl = await openKubectl(source);
  try {
    return await kubectl.run(['-n', 'default', 'get', 'secrets']).then(
      () => true,
      () => false,
    );
  } finally {
    await kubectl.close();
  }
}

/** Whether we read with it. */
async function ask(source: string): Promise<boolean> {
  try {
    const access = readKubeconfig('lab', source);
    const cluster = connectCluster({ name: 'lab', access, clock: realClock, log: new FakeLog() });
    try {
      await cluster.readSecret('default', 'none', AbortSignal.timeout(20_000));
      return true;
    } finally {
      await cluster.close();
    }
  } catch {
    return false;
  }
}
