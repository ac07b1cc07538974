// What tests of an agent start from: the deploy story over a store that verifies and a cluster that remembers.
import { generateKeyPairSync } from 'node:crypto';
import { guardCluster } from '../../lib/agent/guarded-cluster.ts';
import { type Reader, VerifiedStore } from '../../lib/agent/verified-store.ts';
import { type DeliveryStatement, publicKeyOf, signStatement } from '../../lib/certificate/statement.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { targetOf } from '../certificate/targets.ts';
import { type BenchOptions, openBench } from '../deploy/bench.ts';

export const dayMs = 86_400_000;
const newKey = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
export const [key, otherKey] = [newKey(), newKey()];

/** The agent of cluster lab, and `shop`, whose first version is stored and not signed yet. */
export async function openAgent(change: Partial<Reader> = {}, options: Partial<BenchOptions> = {}) {
  let verified: VerifiedStore | undefined;
  const bench = await openBench({
    targets: [targetOf()],
    seenBy: (store) => {
      const reader = {
        cluster: 'lab',
        publicKeys: [publicKeyOf(key)],
        names: ['shop'],
        lists: false,
        ...change,
      };
      verified = new VerifiedStore(store, reader, bench.log);
      return verified;
    },
    wrap: (cluster) => guardCluster(cluster, (certificate) => verified?.statementOf(certificate)),
    ...options,
  });
  /** Signs what is stored now, or something else of it; gives the signature. */
  const sign = async (what: Partial<DeliveryStatement> = {}, by = key, certificate = 'shop') => {
    const stored = await bench.store.read(certificate, 'AWSCURRENT');
    if (stored?.value.kind !== 'certificate') throw new Error('nothing is stored');
    const { fingerprint, notBefore, notAfter } = readCertificate(stored.value.certificate.chain);
    const content = { certificate, version: stored.version, fingerprint, notBefore, notAfter };
    const marks = { cluster: 'lab', signedAt: bench.clock.now(), isRollback: false };
    const signature = signStatement({ ...content, ...marks, ...what }, by);
    await bench.store.record(certificate, { signatures: { lab: signature } });
    return signature;
  };
  return {
    ...bench,
    sign,
    /** Renews, a day later, and signs. */
    renew: async (version: string) => {
      bench.clock.pass(dayMs);
      await bench.issue('shop', version);
      return sign();
    },
    /** What AWS answers from now on: this version, with this signature. */
    present: async (version: string, signature: string) => {
      bench.store.kept.get('shop')?.stages.set('AWSCURRENT', version);
      await bench.store.record('shop', { signatures: { lab: signature } });
    },
    versionInCluster: () => bench.secret()?.metadata.annotations?.['certrelay.dev/version'],
  };
}
