// Fills Secrets Manager with certificates that are not due, and measures a pass that finds nothing to do.
import { createHash } from 'node:crypto';
import { writeCertificate } from '../../lib/adapters/secrets-manager/values.ts';
import { readCertificate } from '../../lib/certificate/x509.ts';
import { encodeState } from '../../lib/state/codec/tags.ts';
import { stateOf } from '../../lib/state/describe.ts';
import { mintChain } from '../minting/certificates.ts';
import type { Call } from '../sandbox/journal.ts';
import { prefix, type Sandbox } from '../sandbox/sandbox.ts';
import { cool, invoke } from './quiet-sandbox.ts';

const dayMs = 86_400_000;

/** A pass that finds nothing due. */
export interface IdlePass {
  readonly certificates: number;
  /** In a process that has just started. */
  readonly ms: number;
  readonly peakMemoryMb: number;
  readonly listPages: number;
  /** Calls that are neither list pages nor about the AWS secret of the installation; there should be none. */
  readonly others: readonly Call[];
}

/** Brings inventory and store to `count` certificates that were issued yesterday, and about which the CA was
 *  asked not long ago (RFC 9773 §4.3.2). All share one chain and one key: a
 *  pass that read them would see that, and order. */
export async function stock(sandbox: Sandbox, count: number): Promise<void> {
  const { authority, secretsManager } = sandbox;
  const names = stockSpecs(count).map(({ name }) => name);
  const validity = {
    notBefore: new Date(Date.now() - dayMs),
    notAfter: new Date(Date.now() + 89 * dayMs),
  };
  const { chain, key } = await mintChain({ domains: ['stock.example.com'], ...validity });
  const stored = { chain, key, issuer: authority.directory };
  const text = writeCertificate(stored);
  const facts = readCertificate(chain);
  for (const name of names) {
    const secretName = `${prefix}/certificates/${name}`;
    if (secretsManager.vault.find(secretName)) continue;
    const secret = secretsManager.vault.make(secretName);
    const version = createHash('sha256').update(name).digest('hex');
    // Not by `addVersion`, which would send an event for each.
    secret.versions.set(version, { id: version, value: { text }, created: validity.notBefore });
    secret.labels.set('AWSCURRENT', version);
    const state = stateOf(version, { ...facts, names: domainsOf(name) }, stored);
    secret.setTags(Object.entries(encodeState({ ...state, askAfter: new Date(Date.now() + dayMs / 4) })));
  }
  await sandbox.setCertificates(stockSpecs(count));
  compareNothing(sandbox);
}

/** All values are of other names, so no pass must come to hold one against its tags: their slots of the day
 *  are still to come. */
function compareNothing({ secretsManager }: Sandbox): void {
  const until = new Date(Date.now() + dayMs).toISOString();
  secretsManager.vault.find(`${prefix}/installation`)?.setTags([['certrelay:comparedUntil', until]]);
}

/** What the inventory says of them. */
export function stockSpecs(
  count: number,
): readonly { readonly name: string; readonly domains: readonly string[] }[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `stock-${index}`,
    domains: domainsOf(`stock-${index}`),
  }));
}

/** Runs the issue function over what `stock` made. */
export async function measureIdlePass(sandbox: Sandbox, certificates: number): Promise<IdlePass> {
  compareNothing(sandbox);
  await cool(sandbox, 'issue');
  const { ms, calls, peakMemoryMb } = await invoke(sandbox, 'issue');
  const pages = calls.filter(({ action }) => action === 'ListSecrets');
  const isOwn = ({ resource }: Call) => resource.includes(`:secret:${prefix}/installation-`);
  const others = calls.filter((call) => !pages.includes(call) && !isOwn(call));
  return { certificates, ms, peakMemoryMb, listPages: pages.length, others };
}

function domainsOf(name: string): readonly string[] {
  return [`${name}.example.com`, `*.${name}.example.com`];
}
