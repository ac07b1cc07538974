// Tells agents that a certificate is let go: a statement without targets replaces the one that delivers.
import { readCertificate } from '../../certificate/x509.ts';
import { isAgentCluster, withdrawnRecipient } from '../../policy/delivery/agents.ts';
import type { IssueInvocation, IssuePorts } from '../invocation.ts';
import { signDelivery } from '../signing.ts';
import type { RetiringCertificate } from './found.ts';

/** Signs that the version in use has no target any more, for each cluster with an agent that has a statement
 *  about it. Statements of clusters that the inventory does not have are taken away: nobody is there to do a
 *  part. Writes nothing if all are signed already; what cannot be signed is in the log, and the next pass
 *  signs it.
 *  @throws StoreError if the statements cannot be recorded. */
export async function withdrawStatements(
  { name, entry, version, certificate }: RetiringCertificate,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<void> {
  const { signatures = {} } = entry.state;
  const stated = Object.keys(signatures).filter((cluster) => signatures[cluster] !== '');
  if (version === undefined || !certificate || stated.length === 0) return;
  const { fingerprint, notBefore, notAfter } = readCertificate(certificate.chain);
  const agents = stated.filter((cluster) => isAgentCluster(cluster, invocation.inventory));
  const recipients = agents.map(withdrawnRecipient);
  const content = { certificate: name, version, fingerprint, notBefore, notAfter };
  const change = await signDelivery({ ...content, recipients, signatures }, ports, invocation);
  if (change.signatures) await ports.store.record(name, change, invocation.cleanUpSignal);
}
