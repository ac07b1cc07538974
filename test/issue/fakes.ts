// Fakes of the ports that issuing stands on: they keep each port's contract and can be told to fail.
import { createHash } from 'node:crypto';
import type { SpecSource, StoredSpec } from '../../lib/certificate/stored.ts';
import {
  AcmeError,
  type Authorization,
  type CertificateAuthority,
  type Order,
  type Proof,
  type RenewalInfo,
} from '../../lib/ports/acme.ts';
import type { Clock } from '../../lib/ports/clock.ts';
import type { ChallengeRecords, OnRecordDone, TxtValue } from '../../lib/ports/dns.ts';
import type { InstallationRecord, InstallationStore } from '../../lib/ports/installation.ts';
import type { Log, LogFields } from '../../lib/ports/log.ts';
import type { CertificateStore, StoredValue, StoreEntry } from '../../lib/ports/store.ts';
import { stateOfSpec } from '../../lib/state/describe.ts';
import type { ByCluster, CertificateState } from '../../lib/state/state.ts';
import { type Minting, mintChain } from '../certificate/minting.ts';

/** Failures that a test sets: the next call of a method rejects, or every one until cleared. */
export class Failures {
  readonly #set = new Map<string, Error[]>();

  next(method: string, ...errors: readonly Error[]): void {
    this.#set.set(method, [...(this.#set.get(method) ?? []), ...errors]);
  }

  check(method: string): void {
    const error = this.#set.get(method)?.shift();
    if (error) throw error;
  }
}

/** Time that passes only when somebody sleeps. */
export class FakeClock implements Clock {
  readonly slept: number[] = [];
  #now: number;

  constructor(now: string) {
    this.#now = Date.parse(now);
  }

  now(): Date {
    return new Date(this.#now);
  }

  async sleep(ms: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.slept.push(ms);
    this.#now += ms;
  }

  pass(ms: number): void {
    this.#now += ms;
  }
}

/** Keeps every line. */
export class FakeLog implements Log {
  readonly lines: { readonly level: string; readonly event: string; readonly fields: LogFields }[] = [];
  debug = (event: string, fields: LogFields = {}): void =>
    void this.lines.push({ level: 'debug', event, fields });
  info = (event: string, fields: LogFields = {}): void =>
    void this.lines.push({ level: 'info', event, fields });
  warn = (event: string, fields: LogFields = {}): void =>
    void this.lines.push({ level: 'warn', event, fields });
  error = (event: string, fields: LogFields = {}): void =>
    void this.lines.push({ level: 'error', event, fields });

  events(): readonly string[] {
    return this.lines.map(({ event }) => event);
  }
}

interface Kept {
  readonly versions: Map<string, StoredValue>;
  readonly stages: Map<'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING', string>;
  state: CertificateState;
  readonly createdAt?: Date;
}

/** Certificates in memory, with AWS's staging labels. */
export class FakeStore implements CertificateStore {
  readonly failures = new Failures();
  readonly kept = new Map<string, Kept>();
  /** Method names with the certificate they were called for. */
  readonly calls: string[] = [];
  #versions = 0;

  #enter(method: string, name: string): void {
    this.calls.push(`${method} ${name}`);
    this.failures.check(method);
  }

  #of(name: string): Kept {
    const kept = this.kept.get(name);
    if (!kept) throw new Error(`no AWS secret for ${name}`);
    return kept;
  }

  #entry(name: string, { stages, state, createdAt }: Kept): StoreEntry {
    return {
      name,
      createdAt,
      current: stages.get('AWSCURRENT'),
      previous: stages.get('AWSPREVIOUS'),
      pending: stages.get('AWSPENDING'),
      state,
    };
  }

  #current(kept: Kept, version: string): void {
    const before = kept.stages.get('AWSCURRENT');
    if (before === version) return;
    if (before !== undefined) kept.stages.set('AWSPREVIOUS', before);
    kept.stages.set('AWSCURRENT', version);
  }

  async list(_?: AbortSignal, sources?: readonly SpecSource[]) {
    this.#enter('list', '*');
    return [...this.kept]
      .map(([name, kept]) => this.#entry(name, kept))
      .filter(({ state: { source } }) => !sources || (source && sources.includes(source)));
  }

  async describe(name: string) {
    this.#enter('describe', name);
    const kept = this.kept.get(name);
    return kept && this.#entry(name, kept);
  }

  async read(name: string, which: Parameters<CertificateStore['read']>[1]) {
    this.#enter('read', name);
    const kept = this.kept.get(name);
    const version = typeof which === 'string' ? kept?.stages.get(which) : which.version;
    const value = version === undefined ? undefined : kept?.versions.get(version);
    return version === undefined || value === undefined ? undefined : { version, value };
  }

  async create(name: string, spec: StoredSpec | undefined) {
    this.#enter('create', name);
    if (this.kept.has(name)) return 'exists' as const;
    const version = `v${++this.#versions}`;
    this.kept.set(name, {
      versions: new Map([[version, { kind: 'specification', spec }]]),
      stages: new Map([['AWSCURRENT', version]]),
      state: spec ? stateOfSpec(spec) : {},
      createdAt: new Date(Date.UTC(2026, 0, 1) + this.kept.size),
    });
    return 'created' as const;
  }

  async claim(name: string, order: Parameters<CertificateStore['claim']>[1], over: string | undefined) {
    this.#enter('claim', name);
    const kept = this.#of(name);
    const version = `v${++this.#versions}`;
    kept.versions.set(version, { kind: 'pending', order });
    if (kept.stages.get('AWSPENDING') !== over) return 'held' as const;
    kept.stages.set('AWSPENDING', version);
    return { version };
  }

  async put(name: string, certificate: Parameters<CertificateStore['put']>[1], version: string) {
    this.#enter('put', name);
    // For a version that exists AWS does nothing, labels included; with another value it refuses.
    const there = this.#of(name).versions.get(version);
    if (there?.kind === 'certificate' && there.certificate.chain === certificate.chain) return;
    if (there) throw new Error(`version ${version} of ${name} exists with another value`);
    this.#of(name).versions.set(version, { kind: 'certificate', certificate });
    this.#current(this.#of(name), version);
  }

  async release(name: string, version: string) {
    this.#enter('release', name);
    const { stages } = this.#of(name);
    if (stages.get('AWSPENDING') === version) stages.delete('AWSPENDING');
  }

  async record(name: string, state: Parameters<CertificateStore['record']>[1]) {
    this.#enter('record', name);
    const before = this.#of(name).state;
    const byCluster = {
      signatures: mergeByCluster(before.signatures, state.signatures),
      reports: mergeByCluster(before.reports, state.reports),
    };
    const merged = Object.entries({ ...before, ...state, ...byCluster }).filter(
      ([, value]) => value !== null && value !== undefined,
    );
    this.#of(name).state = Object.fromEntries(merged) as CertificateState;
  }

  count(method: string): number {
    return this.calls.filter((call) => call.startsWith(`${method} `)).length;
  }
}

/** What belongs to no certificate, in memory. */
export class FakeInstallation implements InstallationStore {
  readonly failures = new Failures();
  record: InstallationRecord | undefined;

  async read() {
    this.failures.check('read');
    return this.record;
  }

  async create(record: Pick<InstallationRecord, 'firstRun' | 'isUpgraded'>) {
    this.failures.check('create');
    this.record ??= { ...record, lastPass: 'open' };
  }

  async recordPass({ endedAt, comparedUntil }: { readonly endedAt: Date; readonly comparedUntil: Date }) {
    this.failures.check('recordPass');
    if (!this.record) throw new Error('the AWS secret of the installation does not exist');
    this.record = { ...this.record, lastPass: endedAt, comparedUntil };
  }
}

/** An empty text clears one cluster's; the others stay. */
function mergeByCluster(
  before: ByCluster | undefined,
  change: ByCluster | null | undefined,
): ByCluster | undefined {
  const merged = Object.entries({ ...before, ...change }).filter(([, text]) => text !== '');
  return merged.length > 0 ? Object.fromEntries(merged) : undefined;
}

interface FakeOrder {
  readonly domains: readonly string[];
  status: Order['status'];
  chain: string;
}

/** A CA that validates against `dns`, the values present right now, and really issues. */
export class FakeAuthority implements CertificateAuthority {
  readonly directory: string;
  readonly failures = new Failures();
  readonly orders = new Map<string, FakeOrder>();
  readonly calls: string[] = [];
  /** Whether its values serve later orders too. */
  lasting = false;
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
  readonly #dns: ReadonlySet<string>;
  readonly #clock: Clock;

  constructor(dns: ReadonlySet<string>, clock: Clock, directory: string) {
    this.#dns = dns;
    this.#clock = clock;
    this.directory = directory;
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

  async newOrder({ domains, replaces }: { readonly domains: readonly string[]; readonly replaces?: string }) {
    this.#enter('newOrder');
    if (replaces !== undefined) this.replaced.push(replaces);
    const url = `${this.directory}/order/${this.orders.size + 1}`;
    this.orders.set(url, { domains, status: 'pending', chain: '' });
    return this.#order(url);
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
      challenges: [
        { ...challenge, type: 'x-unknown-01' },
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
    kept.chain = minted.chain;
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

/** TXT values in memory, each as `name value`. */
export class FakeRecords implements ChallengeRecords {
  readonly values = new Set<string>();
  readonly failed = new Map<string, Error>();
  /** By name: the end of a change that stays PENDING. */
  readonly slow = new Map<string, Promise<void>>();
  readonly failures = new Failures();
  presents = 0;
  cleanUps = 0;

  async present(values: readonly TxtValue[], _signal?: AbortSignal, onDone: OnRecordDone = () => undefined) {
    this.presents += 1;
    this.failures.check('present');
    const failed = new Map<string, Error>();
    await Promise.all(
      values.map(async ({ name, value }) => {
        const error = this.failed.get(name);
        if (error) failed.set(name, error);
        else this.values.add(`${name} ${value}`);
        await this.slow.get(name);
        onDone(name, error);
      }),
    );
    return { failed };
  }

  async cleanUp(values: readonly TxtValue[], _signal?: AbortSignal, onDone: OnRecordDone = () => undefined) {
    this.cleanUps += 1;
    this.failures.check('cleanUp');
    // A value may be given by its beginning.
    for (const { name, value } of values)
      for (const kept of this.values) if (kept.startsWith(`${name} ${value}`)) this.values.delete(kept);
    for (const { name } of values) onDone(name);
    return { failed: new Map<string, Error>() };
  }
}
