// The setting of this folder's tests: the sandbox's CA, and runs of the adapter against it.
import {
  type Authorities,
  type AuthorityOptions,
  createAuthorities,
} from '../../lib/adapters/acme/accounts.ts';
import { keyMaker } from '../../lib/adapters/acme/keys.ts';
import type { IssuerSpec } from '../../lib/certificate/spec.ts';
import { AcmeError, type CertificateAuthority, type Order } from '../../lib/ports/acme.ts';
import { MemoryAccounts } from '../fakes/accounts.ts';
import { FakeClock } from '../fakes/clock.ts';
import { type DnsStub, startDnsStub } from '../fakes/dns-server.ts';
import { FakeLog } from '../fakes/log.ts';
import { type Authority, startAuthority } from '../sandbox/acme/authority.ts';
import { Faults } from '../sandbox/faults.ts';
import type { Surroundings } from '../sandbox/http-server.ts';
import { Journal } from '../sandbox/journal.ts';

/** Never aborted: a time for all tests of a process would be over in a long run. */
export const signal = new AbortController().signal;

export class Harness {
  readonly journal: Journal;
  readonly faults: Faults;
  readonly accounts = new MemoryAccounts();
  readonly clock = new FakeClock('2026-11-22T10:00:00Z');
  /** Of every run. */
  readonly log = new FakeLog();
  /** Texts of AWS secrets by name. */
  readonly secrets = new Map<string, string>();
  /** Names of the AWS secrets that were read. */
  readonly secretsRead: string[] = [];
  readonly dns: DnsStub;
  readonly ca: Authority;
  readonly #open: Authorities[] = [];

  static async start(): Promise<Harness> {
    const dns = await startDnsStub();
    const surroundings = { journal: new Journal(), faults: new Faults() };
    const ca = await startAuthority({ resolve: { servers: [dns.address] } }, surroundings);
    return new Harness(dns, ca, surroundings);
  }

  private constructor(dns: DnsStub, ca: Authority, { journal, faults }: Surroundings) {
    this.dns = dns;
    this.ca = ca;
    this.journal = journal;
    this.faults = faults;
  }

  /** What one run makes of an issuer at the CA. */
  open(issuer: Partial<IssuerSpec> = {}, options: Partial<AuthorityOptions> = {}): Authorities {
    const { directory, caPem } = this.ca;
    const full = { directory, contact: [], agreeToTerms: true, caBundle: caPem, ...issuer } as const;
    const authorities = createAuthorities({
      issuers: { default: full },
      accounts: this.accounts,
      clock: this.clock,
      log: this.log,
      readFile: async () => caPem,
      readText: (secret) => this.#readText(secret),
      ...options,
    });
    this.#open.push(authorities);
    return authorities;
  }

  connect(issuer: Partial<IssuerSpec> = {}, options: Partial<AuthorityOptions> = {}) {
    return this.open(issuer, options).connect('default', signal);
  }

  async #readText(secret: string): Promise<string> {
    this.secretsRead.push(secret);
    const text = this.secrets.get(secret);
    if (text === undefined) throw new Error(`there is no AWS secret ${secret}`);
    return text;
  }

  issue(authority: CertificateAuthority, domains: readonly string[], replaces?: string) {
    return issueCertificate(authority, { domains, replaces }, this.dns.setTxt);
  }

  async stop(): Promise<void> {
    for (const authorities of this.#open) await authorities.close();
    await this.ca.stop();
    await this.dns.stop();
  }
}

/** Orders, presents by `setTxt`, answers, finalizes and downloads. */
export async function issueCertificate(
  authority: CertificateAuthority,
  request: Parameters<CertificateAuthority['newOrder']>[0],
  setTxt: (name: string, values: readonly string[]) => void | Promise<void>,
) {
  const order = await authority.newOrder(request, signal);
  const values = new Map<string, string[]>();
  const challenges = [];
  for (const url of order.authorizations) {
    const authorization = await authority.readAuthorization(url, signal);
    if (authorization.status === 'valid') continue;
    const proof = authority.proofOf(authorization);
    if (!proof) throw new Error('no challenge by DNS');
    values.set(proof.name, [...(values.get(proof.name) ?? []), proof.value]);
    challenges.push(proof.challenge);
  }
  for (const [record, texts] of values) await setTxt(record, texts);
  for (const challenge of challenges) await authority.answerChallenge(challenge.url, signal);
  const ready = await poll(authority, order, 'pending');
  const key = await keyMaker.generate('ecdsa-p256');
  const csr = await keyMaker.request(key, request.domains);
  const valid = await poll(authority, await authority.finalize(ready, csr, signal), 'processing');
  return { chain: await authority.downloadCertificate(valid, signal), key, order };
}

async function poll(authority: CertificateAuthority, order: Order, status: Order['status']): Promise<Order> {
  let now = order;
  while (now.status === status) now = await authority.readOrder(order.url, signal);
  return now;
}

/** The error that must come. */
export function failure(promise: Promise<unknown>): Promise<AcmeError> {
  return promise.then(
    () => Promise.reject(new Error('it did not fail')),
    (error: unknown) => {
      if (error instanceof AcmeError) return error;
      throw error;
    },
  );
}
