// The revoke story: revokes one version of a certificate (RFC 8555 §7.6). A version in use is first
// replaced: in the store, at every target and at every address.

import { verifyBundle } from '../certificate/bundle.ts';
import type { RevocationReason } from '../certificate/revocation.ts';
import type { Inventory } from '../certificate/spec.ts';
import type { StoredCertificate } from '../certificate/stored.ts';
import { readCertificate } from '../certificate/x509.ts';
import { announceRevoked } from '../policy/events/announcement.ts';
import { addRevoked } from '../policy/issuance/operator-decisions.ts';
import type { ConnectAuthority } from '../ports/acme.ts';
import type { Clock } from '../ports/clock.ts';
import { toError, wordsOf } from '../ports/errors.ts';
import { type PutEvents, tell } from '../ports/events.ts';
import type { Log } from '../ports/log.ts';
import { readOwed } from '../ports/owed-events.ts';
import type { ProbeServed } from '../ports/probe.ts';
import type { CertificateStore, StoreEntry } from '../ports/store.ts';
import type { RevokeRequest } from '../requests/requests.ts';
import { createRefusal } from '../requests/unknown.ts';
import { addOwed } from '../state/events.ts';
import { awaitChangeover, type Changeover } from './changeover.ts';
import { isForTests } from './drill.ts';

/** The ports of the revoke story. */
export interface RevokePorts {
  readonly store: CertificateStore;
  readonly connect: ConnectAuthority;
  /** Orders and stores a new certificate in place of the current one. Resolves with a sentence about the
   *  result; rejects if the order failed. */
  readonly orderAnew: (name: string) => Promise<string>;
  readonly probeServed: ProbeServed;
  /** Tells others what was revoked. Absent: nobody is told. */
  readonly putEvents?: PutEvents | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** The answer of a revocation. `version` is the one to revoke, `current` the version in use afterwards. */
export type RevokeAnswer =
  | {
      readonly certificate: string;
      readonly outcome: 'revoked';
      readonly reason: RevocationReason;
      readonly version: string;
      readonly current: string | undefined;
      /** SHA-256 of the revoked leaf's DER, hex, and its serial number. */
      readonly fingerprint: string;
      readonly serial: string;
      /** With `replace`: when each step was complete. */
      readonly times?: Times | undefined;
    }
  /** The new certificate is stored, but for the reason in `message` the old one is not revoked yet. The
   *  same call again continues. */
  | {
      readonly certificate: string;
      readonly outcome: 'waiting';
      readonly version: string;
      readonly current: string | undefined;
      readonly message: string;
    }
  | Refusal;

/** Milliseconds from the beginning of the call; a step that was not waited for is absent. */
export interface Times {
  readonly stored: number;
  readonly delivered?: number | undefined;
  readonly served?: number | undefined;
  readonly revoked: number;
}

interface Refusal {
  readonly certificate: string;
  readonly outcome: 'refused';
  readonly reason:
    | 'Unknown'
    | 'InUse'
    | 'Expired'
    | 'UnknownIssuer'
    | 'NotReplaced'
    | 'SameKey'
    | 'NotForTests';
  readonly message: string;
}

/** The inventory, and the signals that end the call: `cleanUpSignal` aborts later, for records. */
interface RevokeInvocation {
  readonly inventory: Inventory;
  readonly signal: AbortSignal;
  readonly cleanUpSignal: AbortSignal;
}

/** Revokes one version, or returns why not. May be called again: with `replace`, a call that was killed or
 *  ran out of time continues where it ended, and no second certificate is ordered.
 *  @throws StoreError if the store fails.
 *  @throws AcmeError if the order or the revocation fails at the CA. */
export async function revokeCertificate(
  request: RevokeRequest,
  ports: RevokePorts,
  invocation: RevokeInvocation,
): Promise<RevokeAnswer> {
  const { certificate: name, reason } = request;
  const { store, log, clock } = ports;
  const begunAt = clock.now().getTime();
  const refuse = (code: Refusal['reason'], message: string): Refusal => {
    return { certificate: name, outcome: 'refused', reason: code, message };
  };
  const entry = await store.describe(name, invocation.signal);
  const version = entry && chooseVersion(request, entry);
  if (!entry) {
    const inFile = invocation.inventory.certificates.some((spec) => spec.name === name);
    if (!inFile) return refuse('Unknown', wordsOf(await createRefusal({ ...invocation, store })(name)));
    return refuse('Unknown', 'there is nothing to revoke: it has not been issued yet');
  }
  if (version === undefined) return refuse('Unknown', 'there is nothing to revoke: it has no such version');
  if (version === entry.current && !request.replace) {
    const message = `version ${version} of "${name}" is in use: set "replace": true to order a new one first, or "version": "previous" to revoke the one before`;
    return refuse('InUse', message);
  }
  const value = (await store.read(name, { version }, invocation.signal))?.value;
  if (value?.kind !== 'certificate') {
    return refuse('Unknown', `version ${version} of "${name}" contains no certificate, or no longer exists`);
  }
  const certificate = withLeafFirst(value.certificate);
  const { notAfter, fingerprint, serial, names } = readCertificate(certificate.chain);
  if (notAfter <= clock.now()) {
    // Otherwise each later call would continue the replacement that an earlier call began.
    if (entry.state.revoking === version)
      await store.record(name, { revoking: null }, invocation.cleanUpSignal);
    return refuse('Expired', `it expired at ${notAfter.toISOString()}, so there is nothing to revoke`);
  }
  const issuer = findIssuer(certificate, invocation.inventory);
  if (issuer === undefined) {
    const message = `it was issued by ${certificate.issuer}, and no issuer in the inventory has this directory: add one`;
    return refuse('UnknownIssuer', message);
  }
  if (request.drill && !isForTests(issuer, invocation.inventory)) {
    const message = `a drill revokes a certificate, and ${certificate.issuer} is not a CA for tests: name a certificate from a test CA, or set "replace": true instead of "drill"`;
    return refuse('NotForTests', message);
  }

  const replaced = version === entry.current ? await replace(name, version, ports, invocation) : { entry };
  if ('problem' in replaced) return refuse('NotReplaced', replaced.problem);
  const { current, state } = replaced.entry;
  if (reason === 'keyCompromise' && (await hasSameKey(name, certificate, ports, invocation))) {
    const message = 'the certificate in use has the same private key: order it with a new key first';
    return refuse('SameKey', message);
  }
  const storedAt = clock.now();
  const changeover = request.replace ? await followSuccessor(request, ports, invocation) : undefined;
  if (changeover?.kind === 'waiting') {
    const message = `${changeover.message}: send the same request again to continue`;
    log.warn('revocation postponed', { certificate: name, version, problem: message });
    return { certificate: name, outcome: 'waiting', version, current, message };
  }
  const ca = await ports.connect(issuer, invocation.signal);
  await ca.revoke(certificate, reason, invocation.signal);
  log.info('certificate revoked', { certificate: name, version, reason, fingerprint });
  // Before the record: after a crash in between the same call revokes, and tells, again.
  const news = {
    certificate: name,
    arn: entry.arn,
    domains: names,
    version,
    notAfter,
    at: clock.now(),
    reason,
  };
  const isLost = (await tell(announceRevoked(news), ports, invocation.cleanUpSignal)) === 'lost';
  const owed = { kind: 'revoked', at: news.at, version, notAfter, reason } as const;
  const owedEvents = isLost
    ? { owedEvents: addOwed(await readOwed(name, store, invocation.cleanUpSignal), owed) }
    : {};
  const done = { revoked: addRevoked(state.revoked, version), revoking: null, ...owedEvents };
  await store.record(name, done, invocation.cleanUpSignal);
  const since = (at: Date | undefined) => at && at.getTime() - begunAt;
  const times = changeover && {
    stored: storedAt.getTime() - begunAt,
    delivered: since(changeover.deliveredAt),
    served: since(changeover.servedAt),
    revoked: clock.now().getTime() - begunAt,
  };
  return { certificate: name, outcome: 'revoked', reason, version, current, fingerprint, serial, times };
}

/** The certificate with the leaf of its key first, which is the one to revoke, however its chain was
 *  stored. */
function withLeafFirst(certificate: StoredCertificate): StoredCertificate {
  const verdict = verifyBundle(certificate);
  return verdict.ok ? { ...certificate, chain: verdict.bundle.chain } : certificate;
}

/** Waits until the version in use has replaced the one to revoke, as far as `wait` says. */
async function followSuccessor(
  { certificate: name, wait = 'served' }: RevokeRequest,
  ports: RevokePorts,
  invocation: RevokeInvocation,
): Promise<Changeover> {
  const stored = await ports.store.read(name, 'AWSCURRENT', invocation.signal);
  if (stored?.value.kind !== 'certificate') {
    return { kind: 'waiting', message: 'the version in use cannot be read' };
  }
  const { version, value } = stored;
  return awaitChangeover({ name, version, certificate: value.certificate }, wait, ports, invocation);
}

/** The version to revoke. With `replace`, a version whose replacement an earlier call began comes before
 *  the current one. `undefined` if there is no previous version. */
function chooseVersion({ version, replace }: RevokeRequest, entry: StoreEntry): string | undefined {
  if (version === 'previous') return entry.previous;
  return version ?? (replace ? entry.state.revoking : undefined) ?? entry.current;
}

function findIssuer({ issuer }: StoredCertificate, { issuers }: Inventory): string | undefined {
  return Object.entries(issuers).find(([, { directory }]) => directory === issuer)?.[0];
}

/** Records which version is to be revoked, then orders a new certificate. Any newly stored version counts
 *  as its replacement, even if the order reports a failure. */
async function replace(
  name: string,
  version: string,
  { store, orderAnew }: RevokePorts,
  { signal }: RevokeInvocation,
): Promise<{ readonly entry: StoreEntry } | { readonly problem: string }> {
  await store.record(name, { revoking: version }, signal);
  const outcome = await orderAnew(name).catch(toError);
  const entry = await store.describe(name, signal);
  if (entry?.current !== undefined && entry.current !== version) return { entry };
  if (outcome instanceof Error) throw outcome;
  return { problem: `no new certificate replaced it, so it was not revoked: ${outcome}` };
}

async function hasSameKey(
  name: string,
  { key }: StoredCertificate,
  { store }: RevokePorts,
  { signal }: RevokeInvocation,
): Promise<boolean> {
  const value = (await store.read(name, 'AWSCURRENT', signal))?.value;
  return value?.kind === 'certificate' && value.certificate.key === key;
}
