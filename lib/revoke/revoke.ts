// Revokes one version of a certificate (RFC 8555 §7.6): never the one in use, unless another one takes its place first.

import type { ConnectAuthority } from '../acme-ports.ts';
import type { RevocationReason } from '../certificate/revocation.ts';
import type { Inventory } from '../certificate/spec.ts';
import type { StoredCertificate } from '../certificate/stored.ts';
import { readCertificate } from '../certificate/x509.ts';
import type { RevokeRequest } from '../events.ts';
import type { Log } from '../log.ts';
import { addRevoked } from '../policy/standing.ts';
import type { CertificateStore, Clock, StoreEntry } from '../ports.ts';

/** What revoking stands on. */
export interface RevokePorts {
  readonly store: CertificateStore;
  readonly connect: ConnectAuthority;
  /** Orders and stores another certificate in place of the current one; gives a sentence about what became of it.
   *  Rejects where that failed. */
  readonly orderAnew: (name: string) => Promise<string>;
  readonly clock: Clock;
  readonly log: Log;
}

/** What became of it; `current` is the version in use afterwards. */
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
    }
  | Refusal;

interface Refusal {
  readonly certificate: string;
  readonly outcome: 'refused';
  readonly reason: 'Unknown' | 'InUse' | 'Expired' | 'UnknownIssuer' | 'NotReplaced' | 'SameKey';
  readonly message: string;
}

/** One invocation. */
interface Run {
  readonly inventory: Inventory;
  readonly signal: AbortSignal;
  readonly cleanUpSignal: AbortSignal;
}

/** May be called twice: with `replace` a call that was cut off is taken up where it ended, and no second certificate is
 *  ordered. @throws StoreError, AcmeError. */
export async function revokeCertificate(
  request: RevokeRequest,
  ports: RevokePorts,
  run: Run,
): Promise<RevokeAnswer> {
  const { certificate: name, reason } = request;
  const { store, log } = ports;
  const refuse = (code: Refusal['reason'], message: string): Refusal => {
    return { certificate: name, outcome: 'refused', reason: code, message };
  };
  const entry = await store.describe(name, run.signal);
  const version = entry && chooseVersion(request, entry);
  if (!entry || version === undefined) {
    const missing = entry ? 'it has no such version' : 'no certificate is stored under this name';
    return refuse('Unknown', `nothing to revoke for "${name}": ${missing}`);
  }
  if (version === entry.current && !request.replace) {
    const message = `version ${version} of "${name}" is in use: say "replace": true to order another one first, or "version": "previous" for the one before it`;
    return refuse('InUse', message);
  }
  const value = (await store.read(name, { version }, run.signal))?.value;
  if (value?.kind !== 'certificate') {
    return refuse('Unknown', `version ${version} of "${name}" holds no certificate (any more)`);
  }
  const { certificate } = value;
  const { notAfter, fingerprint, serial } = readCertificate(certificate.chain);
  if (notAfter <= ports.clock.now()) {
    // Or an exchange that an earlier call began would be taken up for ever.
    if (entry.state.revoking === version) await store.record(name, { revoking: null }, run.cleanUpSignal);
    return refuse('Expired', `it expired at ${notAfter.toISOString()}: nobody trusts it any more`);
  }
  const issuer = findIssuer(certificate, run.inventory);
  if (issuer === undefined) {
    const message = `it was issued by ${certificate.issuer}, and no issuer of the inventory has this directory: add one`;
    return refuse('UnknownIssuer', message);
  }

  const replaced = version === entry.current ? await replace(name, version, ports, run) : { entry };
  if ('problem' in replaced) return refuse('NotReplaced', replaced.problem);
  const { current, state } = replaced.entry;
  if (reason === 'keyCompromise' && (await hasSameKey(name, certificate, ports, run))) {
    const message = 'the certificate in use has the same private key: have it ordered with a new key first';
    return refuse('SameKey', message);
  }
  const ca = await ports.connect(issuer, run.signal);
  await ca.revoke(certificate, reason, run.signal);
  log.info('certificate revoked', { certificate: name, version, reason, fingerprint });
  const done = { revoked: addRevoked(state.revoked, version), revoking: null };
  await store.record(name, done, run.cleanUpSignal);
  return { certificate: name, outcome: 'revoked', reason, version, current, fingerprint, serial };
}

/** With `replace`, what an earlier call had begun to exchange comes before what is current now. */
function chooseVersion({ version, replace }: RevokeRequest, entry: StoreEntry): string | undefined {
  if (version === 'previous') return entry.previous;
  return version ?? (replace ? entry.state.revoking : undefined) ?? entry.current;
}

function findIssuer({ issuer }: StoredCertificate, { issuers }: Inventory): string | undefined {
  return Object.entries(issuers).find(([, { directory }]) => directory === issuer)?.[0];
}

/** Notes what is to be revoked, then has another certificate stored over it. */
async function replace(
  name: string,
  version: string,
  { store, orderAnew }: RevokePorts,
  { signal }: Run,
): Promise<{ readonly entry: StoreEntry } | { readonly problem: string }> {
  await store.record(name, { revoking: version }, signal);
  const outcome = await orderAnew(name);
  const entry = await store.describe(name, signal);
  if (entry?.current !== undefined && entry.current !== version) return { entry };
  return { problem: `no other certificate took its place, so it was not revoked: ${outcome}` };
}

async function hasSameKey(
  name: string,
  { key }: StoredCertificate,
  { store }: RevokePorts,
  { signal }: Run,
): Promise<boolean> {
  const value = (await store.read(name, 'AWSCURRENT', signal))?.value;
  return value?.kind === 'certificate' && value.certificate.key === key;
}
