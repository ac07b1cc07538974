// What the simulated CA has issued, and which of it lies where.
import { createHash, X509Certificate } from 'node:crypto';

/** A certificate that the CA has issued. */
export interface LedgerEntry {
  /** Name in the inventory. */
  readonly certificate: string;
  /** The how-manieth of its name, from 1. */
  readonly ordinal: number;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Whether it is not what was ordered. */
  readonly isBent: boolean;
}

/** All that was issued in one simulation. */
export class Ledger {
  readonly #entries = new Map<string, LedgerEntry>();
  readonly #byVersion = new Map<string, LedgerEntry>();
  readonly #leaves = new Map<string, string>();

  /** Adds a PEM chain. */
  add(certificate: string, chain: string, { isBent }: { readonly isBent: boolean }): LedgerEntry {
    const leaf = new X509Certificate(chain);
    const ordinal =
      [...this.#entries.values()].filter((entry) => entry.certificate === certificate).length + 1;
    const fingerprint = fingerprintOf(leaf.raw);
    const [notBefore, notAfter] = [new Date(leaf.validFrom), new Date(leaf.validTo)];
    const entry = { certificate, ordinal, fingerprint, notBefore, notAfter, isBent };
    this.#entries.set(fingerprint, entry);
    return entry;
  }

  /** All certificates, in the order in which they were issued. */
  all(): readonly LedgerEntry[] {
    return [...this.#entries.values()];
  }

  /** Notes the version id under which a chain is stored. */
  noteVersion(version: string, chain: string): LedgerEntry | undefined {
    const entry = this.#entries.get(fingerprintOf(new X509Certificate(chain).raw));
    if (entry) this.#byVersion.set(version, entry);
    return entry;
  }

  /** The version id under which it is stored; empty if it is not. */
  versionOf(entry: LedgerEntry): string {
    return [...this.#byVersion].find(([, stored]) => stored === entry)?.[0] ?? '';
  }

  /** What is stored under a version id. */
  ofVersion(version: string | undefined): LedgerEntry | undefined {
    return this.#byVersion.get(version ?? '');
  }

  /** What has this fingerprint. */
  ofFingerprint(fingerprint: string | undefined): LedgerEntry | undefined {
    return this.#entries.get(fingerprint ?? '');
  }

  /** What the value of a Secret is, base64 of PEM; `undefined` if nobody issued it. */
  ofValue(value: string | undefined): LedgerEntry | undefined {
    if (value === undefined) return undefined;
    const known = this.#leaves.get(value);
    if (known !== undefined) return this.#entries.get(known);
    const pem = Buffer.from(value, 'base64').toString('utf8');
    const der = /-----BEGIN CERTIFICATE-----([^-]+)-----END CERTIFICATE-----/.exec(pem)?.[1];
    const fingerprint = der === undefined ? '' : fingerprintOf(Buffer.from(der, 'base64'));
    this.#leaves.set(value, fingerprint);
    return this.#entries.get(fingerprint);
  }
}

/** `shop#3`. */
export function nameEntry(entry: LedgerEntry | undefined): string {
  return entry ? `${entry.certificate}#${entry.ordinal}` : 'something else';
}

function fingerprintOf(der: Uint8Array): string {
  return createHash('sha256').update(der).digest('hex');
}
