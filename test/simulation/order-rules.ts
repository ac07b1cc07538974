// Rules for orders and for what is stored: one order for one due certificate, and nothing that was not
// verified.
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { type LedgerEntry, nameEntry } from './ledger.ts';
import type { JudgedSimulation } from './rules.ts';

interface KnownOrder {
  readonly url: string;
  /** Whether its URL has been on the certificate's tags: before, no other invocation can know of it. */
  isKnown: boolean;
  isStored: boolean;
  entry: LedgerEntry | undefined;
}

const dayMs = 86_400_000;

/** The orders of one simulation. */
export class OrderRules {
  readonly #simulation: JudgedSimulation;
  readonly #isOpenAtCa: (url: string) => boolean;
  readonly #orders = new Map<string, KnownOrder[]>();

  /** @param isOpenAtCa Whether the order may still give a certificate, or has. */
  constructor(simulation: JudgedSimulation, isOpenAtCa: (url: string) => boolean) {
    this.#simulation = simulation;
    this.#isOpenAtCa = isOpenAtCa;
  }

  /** Judges a new order. */
  noteOrder(certificate: string, url: string): void {
    const { clock, ledger, secrets, violate } = this.#simulation;
    const orders = this.#orders.get(certificate) ?? [];
    const open = orders.find(
      (order) => order.isKnown && !order.isStored && !order.entry?.isBent && this.#isOpenAtCa(order.url),
    );
    if (open) violate(`${certificate} was ordered again although ${open.url} is known and open`);
    const current = ledger.ofVersion(secrets.look(certificate)?.current);
    if (current && clock.now < renewalOf(current))
      violate(`${certificate} was ordered although ${nameEntry(current)} is not due`);
    this.#orders.set(certificate, [...orders, { url, isKnown: false, isStored: false, entry: undefined }]);
  }

  /** Notes what the CA has issued for an order. */
  noteIssued(entry: LedgerEntry, url: string): void {
    const order = this.#orders.get(entry.certificate)?.find((one) => one.url === url);
    if (order) order.entry = entry;
    if (entry.ordinal > 1 && !entry.isBent) this.#simulation.tally.count('certificate renewed');
    if (entry.isBent) this.#simulation.tally.count('certificate bent by the CA and not stored');
  }

  /** Notes the order on a certificate's tags. */
  noteTags(certificate: string, url: string | undefined): void {
    for (const order of this.#orders.get(certificate) ?? []) if (order.url === url) order.isKnown = true;
  }

  /** Judges what has become AWSCURRENT. */
  noteStored(certificate: string, version: string): void {
    const { clock, ledger, options, secrets, violate } = this.#simulation;
    const stored = secrets.look(certificate)?.certificate;
    if (!stored) return;
    const entry = ledger.noteVersion(version, stored.chain);
    if (!entry) {
      violate(`what is stored of ${certificate} was not issued by the CA`);
      return;
    }
    for (const order of this.#orders.get(certificate) ?? []) if (order.entry === entry) order.isStored = true;
    const leaf = new X509Certificate(stored.chain);
    const domains = options.inventory.certificates.find(({ name }) => name === certificate)?.domains ?? [];
    const hasNames = domains.every((domain) => leaf.checkHost(domain) !== undefined);
    const isValid = leaf.validToDate.getTime() > clock.now;
    const isPair = leaf.checkPrivateKey(createPrivateKey(stored.key));
    if (!hasNames || !isValid || !isPair || entry.isBent)
      violate(`${nameEntry(entry)} was stored, and is not what was ordered`);
  }
}

/** When a certificate without advice of its CA is due: at two thirds of its life, or half of a short one. */
export function renewalOf({ notBefore, notAfter }: LedgerEntry): number {
  const lifetime = notAfter.getTime() - notBefore.getTime();
  return notBefore.getTime() + Math.floor(lifetime * (lifetime < 10 * dayMs ? 1 / 2 : 2 / 3));
}
