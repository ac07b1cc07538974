// Which certificates of an API server are trusted: those of `certificate-authority-data`, as client-go trusts
// them.
import { expect, onTestFinished, test } from 'vitest';
import { connectCluster } from '../../lib/adapters/kubernetes/cluster.ts';
import { readKubeconfig } from '../../lib/adapters/kubernetes/kubeconfig.ts';
import { realClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { answerJson, startScripted } from '../fakes/scripted-api-server.ts';
import { mintChain } from '../minting/certificates.ts';

const domain = 'api.example.com';
const notBefore = new Date(Date.now() - 60_000);
const minting = {
  domains: [domain],
  notBefore,
  notAfter: new Date(Date.now() + 86_400_000),
  intermediates: 2,
};
const [served, stranger] = await Promise.all([mintChain(minting), mintChain(minting)]);
const [leaf = '', lower = '', upper = ''] = served.certificates;

test.for<[string, 'trusted' | 'refused', string, string]>([
  ['the root', 'trusted', served.root, domain],
  ['the intermediate that signed it, without the root', 'trusted', lower, domain],
  ['an intermediate above that', 'trusted', upper, domain],
  ['the certificate itself', 'trusted', leaf, domain],
  ['several, of which one fits', 'trusted', `${stranger.root}${lower}`, domain],
  ['an authority of the same name with another key', 'refused', stranger.certificates[1] ?? '', domain],
  ['the right intermediate, for another name', 'refused', lower, 'other.example.com'],
])('with %s the server is %s', async ([, outcome, ca, serverName]) => {
  const secret = { metadata: { name: 'web', namespace: 'shop', uid: '1', resourceVersion: '1' } };
  const script = { cert: served.chain, key: served.key, ca };
  const config = await startScripted((_, response) => answerJson(response, secret), script);
  const access = { ...readKubeconfig('lab', config), serverName };
  const cluster = connectCluster({ name: 'lab', access, clock: realClock, log: new FakeLog() });
  onTestFinished(() => cluster.close());
  const read = cluster.readSecret('shop', 'web', AbortSignal.timeout(30_000));
  if (outcome === 'trusted') await expect(read).resolves.toMatchObject({ uid: '1' });
  else
    await expect(read).rejects.toThrow(/server's certificate does not fit the authority or the server name/);
});
