// What tests of an agent start from: the deploy story over a store that verifies and a cluster that
// remembers.
import { generateKeyPairSync } from 'node:crypto';
import { expect } from 'vitest';
import { guardCluster } from '../../lib/agent/replay-guard.ts';
import { RollbackGuard } from '../../lib/agent/rollback-guard.ts';
import { type AgentScope, VerifiedStore } from '../../lib/agent/verified-store.ts';
import type { RolloutSpec } from '../../lib/certificate/rollout-spec.ts';
import { type DeliveryStatement, publicKeyOf, signStatement } from '../../lib/certificate/statement.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { type HarnessOptions, only, openHarness } from '../deploy/harness.ts';
import { targetOf } from '../minting/targets.ts';

export const dayMs = 86_400_000;
const newKey = () =>
  generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
export const [key, otherKey] = [newKey(), newKey()];

/** The agent of cluster lab, and `shop`, whose first version is stored and not signed yet. */
export async function openAgent(change: Partial<AgentScope> = {}, options: Partial<HarnessOptions> = {}) {
  let verified: VerifiedStore | undefined;
  const publicKeys = change.publicKeys ?? [publicKeyOf(key)];
  let rollbackGuard = new RollbackGuard({ cluster: 'lab', publicKeys });
  const harness = await openHarness({
    targets: [targetOf()],
    seenBy: (store) => {
      const reader = {
        cluster: 'lab',
        publicKeys,
        names: ['shop'],
        lists: false,
        ...change,
      };
      // Each pass is a new process.
      verified = new VerifiedStore(store, reader, harness.log);
      rollbackGuard = new RollbackGuard({ cluster: 'lab', publicKeys });
      return verified;
    },
    wrap: (cluster) =>
      guardCluster(cluster, (certificate) => verified?.statementOf(certificate), {
        isPermitted: (...asked) => rollbackGuard.isPermitted(...asked),
      }),
    judgeRollback: (...asked) => rollbackGuard.judge(...asked),
    ...options,
  });
  /** Signs what is stored now, or something else of it; gives the signature. */
  const sign = async (what: Partial<DeliveryStatement> = {}, by = key, certificate = 'shop') => {
    const stored = await harness.store.read(certificate, 'AWSCURRENT');
    if (stored?.value.kind !== 'certificate') throw new Error('nothing is stored');
    const { fingerprint, notBefore, notAfter } = readCertificate(stored.value.certificate.chain);
    const content = { certificate, version: stored.version, fingerprint, notBefore, notAfter };
    const marks = { cluster: 'lab', signedAt: harness.clock.now(), isRollback: false };
    const signature = signStatement({ ...content, ...marks, ...what }, by);
    await harness.store.record(certificate, { signatures: { lab: signature } });
    return signature;
  };
  return {
    ...harness,
    sign,
    /** Renews, a day later, and signs. */
    renew: async (version: string) => {
      harness.clock.pass(dayMs);
      await harness.issue('shop', version);
      return sign();
    },
    /** What AWS answers from now on: this version, with this signature. */
    present: async (version: string, signature: string) => {
      harness.store.kept.get('shop')?.stages.set('AWSCURRENT', version);
      await harness.store.record('shop', { signatures: { lab: signature } });
    },
    /** Changes annotations of the Secret, as nobody but somebody in the cluster can. */
    annotate: (annotations: Readonly<Record<string, string | null>>) =>
      harness.admin.patch('/api/v1/namespaces/shop/secrets/shop-tls', { metadata: { annotations } }),
    versionInCluster: () => harness.secret()?.metadata.annotations?.['certrelay.dev/version'],
  };
}

export const rollout: RolloutSpec = { waves: 1, deadlineMs: 600_000, probe: false, windows: [] };
const mark = 'certrelay.dev/fingerprint-shop-tls';

/** Version 1 is delivered; pods of `web` become ready with no other until `mend` is called. Version 2 is
 *  signed. */
export async function openDelivered(change: Partial<AgentScope> = {}, options: Partial<HarnessOptions> = {}) {
  let good: string | undefined;
  let isMended = false;
  const agent = await openAgent(change, {
    targets: [targetOf({ rollout })],
    areReady: (_, annotations) => isMended || good === undefined || annotations[mark] === good,
    ...options,
  });
  agent.addWorkload('Deployment', 'web', 'shop-tls');
  await agent.sign();
  await agent.deploy();
  good = agent.secret()?.metadata.annotations?.['certrelay.dev/fingerprint'];
  await agent.renew('version-2');
  const state = () => agent.store.kept.get('shop')?.state ?? {};
  return {
    ...agent,
    state,
    held: () => state().reports?.lab?.freeze,
    mend: () => {
      isMended = true;
    },
    /** Whether the pods of `web` are to run with version 1. */
    isBack: () => JSON.stringify(agent.lab.find('deployments', 'shop', 'web')?.spec).includes(good ?? '-'),
  };
}

/** A pass that waits for nothing and changes nothing. */
export async function expectIdlePass(agent: Awaited<ReturnType<typeof openDelivered>>) {
  const before = agent.clock.now();
  agent.calls();
  const report = await agent.deploy();
  expect(only(report)).toMatchObject({ outcome: 'held', restarted: [] });
  expect(report.failures.size, 'nobody is told twice').toBe(0);
  expect(agent.calls().filter((call) => !/^(get|list) /.test(call))).toEqual([]);
  expect(agent.clock.now()).toEqual(before);
}
