// The CA, DNS and keys of a simulation. Keys and authorities are made once, because they cost most.
import { generateKeyPairSync } from 'node:crypto';
import type { OrderingPorts } from '../../lib/issue/invocation.ts';
import { AcmeError, type CertificateAuthority } from '../../lib/ports/acme.ts';
import { DnsError, type RecordOutcome, type TxtValue } from '../../lib/ports/dns.ts';
import { FakeAuthority } from '../fakes/authority.ts';
import { FakeRecords } from '../fakes/records.ts';
import { type Authority, type Minting, mintAuthority } from '../minting/certificates.ts';
import { clockOf, type VirtualClock } from './clock.ts';
import type { Ledger, LedgerEntry } from './ledger.ts';
import type { Random } from './random.ts';
import type { PortCall } from './scheduler.ts';

/** Makes one call of a port. */
export type CallPort = <T>(call: PortCall<T>) => Promise<T>;

/** Is told of orders. */
export interface OrderObserver {
  readonly onOrder: (certificate: string, url: string) => void;
  readonly onIssued: (entry: LedgerEntry, url: string) => void;
}

/** Keys of certificates, and the intermediate that signs them. */
export interface KeyPool {
  readonly keys: readonly string[];
  readonly issuer: Authority;
}

const poolSize = 48;
let made: KeyPool | undefined;

/** The pool of every simulation in this process. */
export async function makePool(): Promise<KeyPool> {
  if (made) return made;
  const keys = Array.from({ length: poolSize }, () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  });
  const validity = {
    notBefore: new Date('2026-01-01T00:00:00Z'),
    notAfter: new Date('2036-01-01T00:00:00Z'),
  };
  const root = await mintAuthority('Simulated Root', validity);
  made = { keys, issuer: await mintAuthority('Simulated Intermediate', validity, root) };
  return made;
}

/** One CA with its DNS, over all invocations of a simulation. */
export class SimulatedIssuing {
  readonly records = new FakeRecords();
  readonly ca: FakeAuthority;
  /** TXT values that were written, in the order of time. */
  readonly written: { readonly at: Date; readonly values: number }[] = [];
  /** Probability of a certificate that is not what was ordered. */
  bends = 0;
  readonly #pool: KeyPool;
  readonly #now: () => Date;
  readonly #ledger: Ledger;
  readonly #observer: OrderObserver;
  #keys = 0;
  #isBent = false;

  constructor(
    pool: KeyPool,
    settings: { readonly clock: VirtualClock; readonly random: Random; readonly lifetimeMs: number },
    told: { readonly ledger: Ledger; readonly observer: OrderObserver },
  ) {
    const { clock, random, lifetimeMs } = settings;
    this.#pool = pool;
    this.#now = () => new Date(clock.now);
    this.#ledger = told.ledger;
    this.#observer = told.observer;
    const directory = 'https://ca.example/directory';
    this.ca = new FakeAuthority(this.records.values, clockOf(clock, { isDead: false }), directory);
    this.ca.reusesAuthorizations = random.chance(0.5);
    this.ca.authorizationLifetimeMs = random.between(1, 6) * 86_400_000;
    this.ca.issuesOtherwise = (now) => {
      const notAfter = new Date(now.getTime() + lifetimeMs);
      const ordinary = { issuer: pool.issuer, intermediates: 0, notAfter };
      this.#isBent = random.chance(this.bends);
      return this.#isBent ? { ...ordinary, ...this.#bend(random, now) } : ordinary;
    };
  }

  /** The ports of one invocation. */
  ports(call: CallPort): OrderingPorts {
    const change = (
      what: 'present' | 'cleanUp',
      values: readonly TxtValue[],
      signal: AbortSignal,
      act: () => Promise<RecordOutcome>,
    ) => call({ label: `dns.${what}`, signal, act, fail: () => failAll(values, 'Throttled') });
    return {
      connect: (_, signal) =>
        call({ label: 'ca.connect', signal, act: () => this.#authority(call), fail: failAtCa }),
      keys: {
        generate: async () => {
          this.#keys += 1;
          return this.#pool.keys[this.#keys % poolSize] ?? '';
        },
        // The CA certifies the key itself: what a request looks like is the adapter's business.
        request: async (key) => key,
      },
      records: {
        present: (values, signal) =>
          change('present', values, signal, () => {
            this.written.push({ at: this.#now(), values: values.length });
            return this.records.present(values, signal);
          }),
        cleanUp: (values, signal) =>
          change('cleanUp', values, signal, () => this.records.cleanUp(values, signal)),
        removeLasting: async () => Promise.reject(new Error('nothing here is lasting')),
      },
      describe: async () => Promise.reject(new Error('nothing here is lasting')),
      awaitVisible: (values, signal) => {
        const act = () => ({ failed: new Map<string, Error>() });
        return call({ label: 'dns.awaitVisible', signal, act, fail: () => failAll(values, 'NotVisible') });
      },
    };
  }

  #authority(call: CallPort): CertificateAuthority {
    const { ca } = this;
    const ask = <T>(what: string, signal: AbortSignal, act: () => Promise<T>) =>
      call<T>({ label: `ca.${what}`, signal, act, fail: failAtCa });
    return {
      directory: ca.directory,
      accountUrl: ca.accountUrl,
      newOrder: (request, signal) =>
        ask('newOrder', signal, async () => {
          const order = await ca.newOrder(request);
          this.#observer.onOrder(certificateOf(request.domains), order.url);
          return order;
        }),
      renewalInfo: (id, signal) => ask('renewalInfo', signal, () => ca.renewalInfo(id)),
      readOrder: (url, signal) => ask('readOrder', signal, () => ca.readOrder(url)),
      readAuthorization: (url, signal) => ask('readAuthorization', signal, () => ca.readAuthorization(url)),
      answerChallenge: (url, signal) => ask('answerChallenge', signal, () => ca.answerChallenge(url)),
      finalize: (order, csr, signal) =>
        ask('finalize', signal, async () => {
          const finalized = await ca.finalize(order, csr);
          const kept = ca.orders.get(order.url);
          const name = certificateOf(kept?.domains ?? []);
          const entry = this.#ledger.add(name, kept?.chain ?? '', { isBent: this.#isBent });
          this.#observer.onIssued(entry, order.url);
          return finalized;
        }),
      downloadCertificate: (order, signal) =>
        ask('downloadCertificate', signal, () => ca.downloadCertificate(order)),
      revoke: (certificate, _, signal) => ask('revoke', signal, () => ca.revoke(certificate)),
      proofOf: (authorization) => ca.proofOf(authorization),
    };
  }

  #bend(random: Random, now: Date): Partial<Minting> {
    return random.pick<Partial<Minting>>([
      { domains: ['other.example.com'] },
      { notBefore: new Date(now.getTime() - 86_400_000), notAfter: new Date(now.getTime() - 1_000) },
      { key: this.#pool.keys[0] },
    ]);
  }
}

/** `shop` of `shop.example.com`, as `options.ts` names domains. */
function certificateOf([domain = '']: readonly string[]): string {
  return domain.split('.')[0] ?? '';
}

function failAtCa(): never {
  throw new AcmeError('Unreachable', 'no answer from the CA');
}

function failAll(values: readonly TxtValue[], code: 'Throttled' | 'NotVisible'): RecordOutcome {
  const error = new DnsError(code, 'the simulation lets it fail');
  return { failed: new Map(values.map(({ name }) => [name, error])) };
}
