// A CA in memory that validates, issues and revokes as its port promises, and can be told to fail.
import { createHash } from 'node:crypto';
import {
  AcmeError,
  type Authorization,
  type CertificateAuthority,
  type Order,
  type Proof,
  type RenewalInfo,
} from '../../lib/ports/acme.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import { type MintedChain, type Minting, mintChain } from '../minting/certificates.ts';
import { Failures } from './failures.ts';

interface FakeOrder {
  readonly domains: readonly string[];
  readonly profile: string | undefined;
  /** Of its authorizations, once they are valid. */
  expires?: Date;
  status: Order['status'];
  chain: string;
}

/** A CA that validates against `dns`, the values present right now, and really issues. */
export class FakeAuthority implements CertificateAuthority {
  readonly directory: string;
  accountUrl: string;
  /** How long a valid authorization serves; absent: the CA does not say so. */
  authorizationLifetimeMs: number | undefined = 30 * 86_400_000;
  /** Whether valid authorizations serve later orders for the same names, of the same account and profile. */
  reusesAuthorizations = false;
  readonly failures = new Failures();
  readonly orders = new Map<string, FakeOrder>();
  readonly calls: string[] = [];
  /** Whether its values serve later orders too. */
  lasting = false;
  /** The text that is downloaded for a certificate, in place of its chain. */
  bendsChain: ((minted: MintedChain) => string) | undefined;
  /** What it issues otherwise than it should. */
  issuesOtherwise: ((now: Date) => Partial<Minting> | Promise<Partial<Minting>>) | undefined;
  /** Names that fail validation. */
  readonly unwelcome = new Set<string>();
  /** Renewal windows by certificate id; certificates without one have no advice. */
  readonly windows = new Map<string, RenewalInfo>();
  /** Ids of the certificates that orders replace, in the orders' sequence. */
  readonly replaced: string[] = [];
  /** Chains, in the order in which they were revoked. */
  readonly revoked: string[] = [];
  /** Ends of what was proved last, by account, profile and names. */
  readonly #proved = new Map<string, Date>();
  readonly #dns: ReadonlySet<string>;
  readonly #clock: Clock;

  constructor(dns: ReadonlySet<string>, clock: Clock, directory: string) {
    this.#dns = dns;
    this.#clock = clock;
    this.directory = directory;
    this.accountUrl = new URL('/acct/1', directory).href;
  }

  #enter(method: string): void {
    this.calls.push(method);
    this.failures.check(method);
  }

  #order(url: string): Order {
    const order = this.orders.get(url);
    const gone = { type: 'malformed', detail: 'no such order', status: 404, identifiers: [] };
    if (!order) throw new AcmeError('Problem', 'ca refused: no such order', { problem: gone });
    return {
      url,
      status: order.status,
      names: order.domains,
      authorizations: order.domains.map((_, index) => `${url}/authorization/${index}`),
      finalize: `${url}/finalize`,
      certificate: order.status === 'valid' ? `${url}/certificate` : undefined,
    };
  }

  async renewalInfo(certificateId: string) {
    this.#enter('renewalInfo');
    return this.windows.get(certificateId);
  }

  async newOrder({ domains, profile, replaces }: Parameters<CertificateAuthority['newOrder']>[0]) {
    this.#enter('newOrder');
    if (replaces !== undefined) this.replaced.push(replaces);
    const url = `${this.directory}/order/${this.orders.size + 1}`;
    const expires = this.#proved.get(this.#proofKey({ domains, profile }));
    const isProved = this.reusesAuthorizations && expires !== undefined && expires > this.#clock.now();
    const status = isProved ? 'ready' : 'pending';
    this.orders.set(url, { domains, profile, status, chain: '', ...(isProved && { expires }) });
    return this.#order(url);
  }

  /** Forgets what was proved, as a CA that revokes its authorizations. */
  forgetProofs(): void {
    this.#proved.clear();
  }

  #proofKey({ domains, profile }: Pick<FakeOrder, 'domains' | 'profile'>): string {
    return [this.accountUrl, profile, ...domains].join(' ');
  }

  async readOrder(url: string) {
    this.#enter('readOrder');
    return this.#order(url);
  }

  async readAuthorization(url: string): Promise<Authorization> {
    this.#enter('readAuthorization');
    const [orderUrl = '', index = ''] = url.split('/authorization/');
    const order = this.orders.get(orderUrl);
    const domain = order?.domains[Number(index)] ?? '';
    const name = domain.replace(/^\*\./, '');
    const status =
      order?.status === 'pending' ? 'pending' : order?.status === 'invalid' ? 'invalid' : 'valid';
    const failed = status === 'invalid' && this.unwelcome.has(name);
    const problem = failed
      ? { type: 'unauthorized', detail: 'no TXT record found', identifiers: [] }
      : undefined;
    const challenge = { status, token: this.#token(url), url: `${url}/challenge`, problem } as const;
    return {
      url,
      name,
      isWildcard: domain.startsWith('*.'),
      status,
      ...(order?.expires && { expires: order.expires }),
      challenges: [
        { ...challenge, type: 'x-unknown-01', status: 'pending' },
        { ...challenge, type: 'dns-01' },
      ],
    };
  }

  async answerChallenge(url: string) {
    this.#enter('answerChallenge');
    const [orderUrl = ''] = url.split('/authorization/');
    const order = this.orders.get(orderUrl);
    if (order?.status !== 'pending') return;
    const wanted = order.domains.map((domain, index) => {
      const name = domain.replace(/^\*\./, '');
      const value = this.txtValue(this.#token(`${orderUrl}/authorization/${index}`));
      return !this.unwelcome.has(name) && this.#dns.has(`_acme-challenge.${name} ${value}`);
    });
    order.status = wanted.every(Boolean) ? 'ready' : 'invalid';
    if (order.status === 'invalid' || this.authorizationLifetimeMs === undefined) return;
    order.expires = new Date(this.#clock.now().getTime() + this.authorizationLifetimeMs);
    this.#proved.set(this.#proofKey(order), order.expires);
  }

  async finalize(order: Order, csr: string) {
    this.#enter('finalize');
    const kept = this.orders.get(order.url);
    if (!kept || kept.status !== 'ready')
      throw new AcmeError('Problem', 'order is not ready', { problem: notReady });
    const now = this.#clock.now();
    const minted = await mintChain({
      domains: kept.domains,
      notBefore: now,
      notAfter: new Date(now.getTime() + 90 * 86_400_000),
      key: csr,
      ...(await this.issuesOtherwise?.(now)),
    });
    kept.chain = this.bendsChain?.(minted) ?? minted.chain;
    kept.status = 'valid';
    return this.#order(order.url);
  }

  async downloadCertificate(order: Order) {
    this.#enter('downloadCertificate');
    return this.orders.get(order.url)?.chain ?? '';
  }

  async revoke({ chain }: { readonly chain: string }) {
    this.#enter('revoke');
    this.revoked.push(chain);
  }

  proofOf({ name, challenges }: Authorization): Proof | undefined {
    const challenge = challenges.find(({ type }) => type === 'dns-01');
    if (challenge?.token === undefined) return undefined;
    const value = this.txtValue(challenge.token);
    return { challenge, name: `_acme-challenge.${name}`, value, isLasting: this.lasting };
  }

  txtValue(token: string): string {
    return createHash('sha256').update(`${token}.thumbprint`).digest('base64url');
  }

  #token(authorization: string): string {
    return createHash('sha1').update(authorization).digest('hex');
  }

  count(method: string): number {
    return this.calls.filter((call) => call === method).length;
  }
}

const notReady = { type: 'orderNotReady', detail: 'order is not ready', status: 403, identifiers: [] };
