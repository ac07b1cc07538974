// Waits until a certificate that took another one's place is wherever that one was, and is what is served there.
import { growing, poll } from '../async/poll.ts';
import type { Inventory, TargetSpec } from '../certificate/spec.ts';
import type { StoredCertificate } from '../certificate/stored.ts';
import { readCertificate } from '../certificate/x509.ts';
import { reachedPhases } from '../policy/delivery/agents.ts';
import { nameDestination } from '../policy/delivery/secret.ts';
import type { ProbeResult } from '../policy/serving/served.ts';
import { type CertificateProbeSpec, probeSpecOf } from '../policy/serving/served-targets.ts';
import type { Clock } from '../ports/clock.ts';
import type { ProbeServed } from '../ports/probe.ts';
import type { CertificateStore } from '../ports/store.ts';

/** What must have happened to the new certificate: it is seen to be served, and at every address; delivered to every target; or
 *  nothing. */
export type Until = 'served' | 'delivered' | 'none';

/** What waiting stands on. Delivery is the deploy function's, which hears of a stored certificate by itself. */
export interface ChangeoverPorts {
  readonly store: Pick<CertificateStore, 'describe'>;
  readonly probeServed: ProbeServed;
  readonly clock: Clock;
}

/** `done` says when each step was, as far as it was waited for; `waiting` says what is missing. */
export type Changeover =
  | { readonly kind: 'done'; readonly deliveredAt?: Date; readonly servedAt?: Date }
  | { readonly kind: 'waiting'; readonly message: string };

const pauseMs = growing(250, 2, 4_000);

/** The certificate that took the other one's place. */
export interface Successor {
  readonly name: string;
  readonly version: string;
  readonly certificate: StoredCertificate;
}

/** One invocation. */
interface RevokeInvocation {
  readonly inventory: Inventory;
  readonly signal: AbortSignal;
}

/** Waits until the successor has come as far as `until` says, or the signal is aborted. Notes nothing: asked again, it looks
 *  again. @throws StoreError. */
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
    const message = `nobody may look at what is served, because the inventory says "probe: false" (${withoutLook}`;
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

/** Looks again and again until nothing is missing; once time is up, gives what was missing last. */
async function waitFor(
  look: () => Promise<string | undefined>,
  clock: Clock,
  signal: AbortSignal,
): Promise<string | undefined> {
  const polled = await poll(look, (missing) => missing === undefined, { clock, signal, pauseMs });
  return polled.kind === 'done' ? undefined : (polled.seen ?? 'there was no time to look');
}

/** The targets that it is not done at; `undefined` where there is none. */
async function findUndelivered(
  { name, version }: Successor,
  targets: readonly TargetSpec[],
  { store }: ChangeoverPorts,
  { inventory, signal }: RevokeInvocation,
): Promise<string | undefined> {
  if (targets.length === 0) return undefined;
  const { state = {} } = (await store.describe(name, signal)) ?? {};
  const steps = reachedPhases(state, version, targets, inventory);
  const open = targets.filter((_, index) => steps[index] !== 'rolled-out');
  if (open.length === 0) return undefined;
  return `it is not delivered yet to ${open.map((target) => nameDestination(target, name)).join(', ')}`;
}

/** The addresses at which something else is served, or nobody could look; `undefined` where there is none, and the successor is
 *  served at one at least. */
async function findUnserved(
  { certificate }: Successor,
  probe: CertificateProbeSpec,
  { probeServed }: ChangeoverPorts,
  { signal }: RevokeInvocation,
): Promise<string | undefined> {
  const { names, fingerprint } = readCertificate(certificate.chain);
  const { results } = await probeServed({ names, probe, fingerprint }, signal);
  const describe = (open: readonly ProbeResult[]) =>
    open.map(({ name, address, message }) => `${address ?? name} ${message}`).join('; ');
  const open = results.filter(isOpen);
  if (open.length > 0) return `${describe(open)} (${withoutLook}`;
  if (results.some(({ served }) => served === 'served')) return undefined;
  const why = describe(results) || 'there is no address to look at';
  return `nobody could look at what is served: ${why} (list "addresses" under the certificate's "probe", or ${withoutLook}`;
}

/** How to go on without a look, as the end of a bracket. */
const withoutLook = '"wait": "delivered" does without this look)';

/** A name without an address serves nobody anything; one with more addresses than are looked at may, at the rest. */
function isOpen({ served, address, unlooked }: ProbeResult): boolean {
  return served !== 'served' && !(served === 'unprobed' && address === undefined && unlooked === undefined);
}
