// Waits until the certificate that replaces a revoked one is delivered to every target and served everywhere.
import { growing, poll } from '../async/poll.ts';
import { verifyBundle } from '../certificate/bundle.ts';
import type { Inventory, TargetSpec } from '../certificate/spec.ts';
import type { StoredCertificate } from '../certificate/stored.ts';
import { readCertificate } from '../certificate/x509.ts';
import { describeOpen, judgeTargetStates } from '../policy/delivery/target-states.ts';
import { confirmingHandshakes } from '../policy/serving/handshake.ts';
import type { ProbeResult } from '../policy/serving/served.ts';
import { type CertificateProbeSpec, probeSpecOf } from '../policy/serving/served-targets.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProbeServed } from '../ports/probe.ts';
import type { CertificateStore } from '../ports/store.ts';

/** What to wait for before the old certificate is revoked. `served`: a probe finds the new one at every
 *  address. `delivered`: every target has the new one. `none`: nothing. */
export type Until = 'served' | 'delivered' | 'none';

/** The ports for waiting. The function `deploy` delivers: an event tells it of the stored certificate. */
export interface ChangeoverPorts {
  readonly store: Pick<CertificateStore, 'describe'>;
  readonly probeServed: ProbeServed;
  readonly clock: Clock;
}

/** The result. `done`: when each step was reached; absent if it was not waited for. `waiting`: time is up,
 *  and `message` says what is missing. */
export type Changeover =
  | { readonly kind: 'done'; readonly deliveredAt?: Date; readonly servedAt?: Date }
  | { readonly kind: 'waiting'; readonly message: string };

const pauseMs = growing(250, 2, 4_000);

/** The version that replaces the revoked one. */
export interface Successor {
  /** Name of the certificate. */
  readonly name: string;
  /** Version id of the AWS secret. */
  readonly version: string;
  readonly certificate: StoredCertificate;
}

/** The inventory, and the signal that ends the wait. */
interface RevokeInvocation {
  readonly inventory: Inventory;
  readonly signal: AbortSignal;
}

/** Polls until the successor is delivered or served, as `until` says, or the signal aborts. Records nothing:
 *  a second call starts again.
 *  @throws StoreError if the certificate's entry cannot be read. */
export async function awaitChangeover(
  successor: Successor,
  until: Until,
  ports: ChangeoverPorts,
  invocation: RevokeInvocation,
): Promise<Changeover> {
  if (until === 'none') return { kind: 'done' };
  const spec = invocation.inventory.certificates.find(({ name }) => name === successor.name);
  const targets = spec?.targets ?? successor.certificate.spec?.targets ?? [];
  const undelivered = await waitFor(
    () => findUndelivered(successor, targets, ports, invocation),
    ports.clock,
    invocation.signal,
  );
  if (undelivered !== undefined) return { kind: 'waiting', message: undelivered };
  const deliveredAt = ports.clock.now();
  if (until === 'delivered') return { kind: 'done', deliveredAt };
  const probe = probeSpecOf({ probe: spec?.probe, targets });
  if (probe === false) {
    const message = `what is served cannot be probed, because the inventory says "probe: false" (${withoutProbe}`;
    return { kind: 'waiting', message };
  }
  const unserved = await waitFor(
    () => findUnserved(successor, probe, ports, invocation),
    ports.clock,
    invocation.signal,
  );
  if (unserved !== undefined) return { kind: 'waiting', message: unserved };
  return { kind: 'done', deliveredAt, servedAt: ports.clock.now() };
}

/** Polls until nothing is missing and returns `undefined`. If the signal aborts first, returns what was
 *  missing last. */
async function waitFor(
  findMissing: () => Promise<string | undefined>,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const polled = await poll(findMissing, (missing) => missing === undefined, { clock, signal, pauseMs });
  return polled.kind === 'done' ? undefined : (polled.seen ?? 'there was no time to check');
}

/** Message with the targets that are not complete yet; `undefined` if all are. */
async function findUndelivered(
  { name, version }: Successor,
  targets: readonly TargetSpec[],
  { store }: ChangeoverPorts,
  { inventory, signal }: RevokeInvocation,
): Promise<string | undefined> {
  if (targets.length === 0) return undefined;
  const { state = {} } = (await store.describe(name, signal)) ?? {};
  const subject = { name, version, state };
  return describeOpen(subject, judgeTargetStates(subject, targets, inventory));
}

/** Message with the addresses that do not serve the successor, or could not be probed. `undefined` if
 *  there are none and at least one address serves it. */
async function findUnserved(
  { certificate }: Successor,
  probe: CertificateProbeSpec,
  { probeServed }: ChangeoverPorts,
  { signal }: RevokeInvocation,
): Promise<string | undefined> {
  const verdict = verifyBundle(certificate);
  const facts = verdict.ok ? verdict.bundle.facts : readCertificate(certificate.chain);
  const { names } = verdict.ok ? verdict.bundle : facts;
  const { fingerprint, keyType } = facts;
  const query = { names, probe, fingerprint, keyType, handshakes: confirmingHandshakes };
  const { results } = await probeServed(query, signal);
  const describe = (open: readonly ProbeResult[]) =>
    open.map(({ name, address, message }) => `${address ?? name} ${message}`).join('; ');
  const open = results.filter(isOpen);
  if (open.length > 0) return `${describe(open)} (${withoutProbe}`;
  if (results.some(({ served }) => served === 'served')) return undefined;
  const why = describe(results) || 'there is no address to probe';
  return `what is served could not be probed: ${why} (list "addresses" under "probe" of the certificate, or ${withoutProbe}`;
}

/** How to continue without a probe, to the end of the bracket. */
const withoutProbe = 'set "wait": "delivered" to go on without a probe)';

/** Whether the result still prevents the revocation. A name without any address does not, because it
 *  serves nobody. */
function isOpen({ served, address, unlooked }: ProbeResult): boolean {
  return served !== 'served' && !(served === 'unprobed' && address === undefined && unlooked === undefined);
}
