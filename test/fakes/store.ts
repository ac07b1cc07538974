// The store of certificates in memory: it keeps the port's contract, AWS's staging labels included, and can
// be told to fail.
import type { SpecSource, StoredSpec } from '../../lib/certificate/stored.ts';
import type { RetirementStore } from '../../lib/ports/retirement.ts';
import type { CertificateStore, StoredValue, StoreEntry } from '../../lib/ports/store.ts';
import { stateOfSpec } from '../../lib/state/describe.ts';
import type { ByCluster, CertificateState } from '../../lib/state/state.ts';
import { Failures } from './failures.ts';
import { throughTags } from './tags.ts';

interface Kept {
  readonly versions: Map<string, StoredValue>;
  readonly stages: Map<'AWSCURRENT' | 'AWSPREVIOUS' | 'AWSPENDING', string>;
  state: CertificateState;
  readonly createdAt?: Date;
}

/** Certificates in memory, with AWS's staging labels. */
export class FakeStore implements CertificateStore, RetirementStore {
  readonly failures = new Failures();
  readonly kept = new Map<string, Kept>();
  /** What is scheduled for deletion, and until when. */
  readonly deleted = new Map<string, Kept & { readonly until: Date }>();
  /** Method names with the certificate they were called for. */
  readonly calls: string[] = [];
  #versions = 0;
  readonly #now: (() => Date) | undefined;
  /** When certificates were stored, by name and version. */
  readonly #instants = new Map<string, Date>();

  /** @param now Absent: versions do not say when they were stored. */
  constructor(now?: () => Date) {
    this.#now = now;
  }

  /** ARN of a certificate's AWS secret. */
  arnOf(name: string): string {
    return `arn:aws:secretsmanager:eu-central-1:123456789012:secret:certrelay/certificates/${name}-AbCdEf`;
  }

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
      arn: this.arnOf(name),
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
    if (version === undefined || value === undefined) return undefined;
    return { version, createdAt: this.#instants.get(`${name}/${version}`), value };
  }

  async create(name: string, spec: StoredSpec | undefined) {
    this.#enter('create', name);
    if (this.kept.has(name)) return 'exists' as const;
    if (this.deleted.has(name)) return 'deleted' as const;
    const version = `v${++this.#versions}`;
    this.kept.set(name, {
      versions: new Map([[version, { kind: 'specification', spec }]]),
      stages: new Map([['AWSCURRENT', version]]),
      state: spec ? stateOfSpec(spec) : {},
      createdAt: new Date(Date.UTC(2026, 0, 1) + this.kept.size),
    });
    return 'created' as const;
  }

  async claim(
    name: string,
    order: Parameters<CertificateStore['claim']>[1],
    over: string | undefined,
    signal?: AbortSignal,
  ) {
    this.#enter('claim', name);
    signal?.throwIfAborted();
    const kept = this.#of(name);
    const version = `v${++this.#versions}`;
    kept.versions.set(version, { kind: 'pending', order });
    if (kept.stages.get('AWSPENDING') !== over) return 'claimedByOther' as const;
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
    if (this.#now) this.#instants.set(`${name}/${version}`, this.#now());
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
    // As tags keep it: what is lost there must not be found here.
    const kept = throughTags(state);
    const byCluster = {
      signatures: mergeByCluster(before.signatures, state.signatures),
      reports: mergeByCluster(before.reports, kept.reports),
    };
    const merged = Object.entries({ ...before, ...kept, ...byCluster }).filter(
      ([, value]) => value !== null && value !== undefined,
    );
    this.#of(name).state = Object.fromEntries(merged) as CertificateState;
  }

  async listDeleted() {
    this.#enter('listDeleted', '*');
    return [...this.deleted].map(([name, { until, state }]) => ({ name, until, state }));
  }

  async findDeleted(name: string) {
    this.#enter('findDeleted', name);
    const found = this.deleted.get(name);
    return found && { name, until: found.until, state: found.state };
  }

  async scheduleDeletion(name: string) {
    this.#enter('scheduleDeletion', name);
    const gone = this.deleted.get(name);
    if (gone) return gone.until;
    const until = new Date((this.#now?.() ?? new Date('2026-11-22T10:00:00Z')).getTime() + 30 * 86_400_000);
    this.deleted.set(name, { ...this.#of(name), until });
    this.kept.delete(name);
    return until;
  }

  async restore(name: string) {
    this.#enter('restore', name);
    const gone = this.deleted.get(name);
    if (gone) this.kept.set(name, gone);
    this.deleted.delete(name);
  }

  count(method: string): number {
    return this.calls.filter((call) => call.startsWith(`${method} `)).length;
  }
}

/** An empty text clears one cluster's; the others stay. */
function mergeByCluster<T>(
  before: ByCluster<T> | undefined,
  change: ByCluster<T> | null | undefined,
): ByCluster<T> | undefined {
  const merged = Object.entries({ ...before, ...change }).filter(([, value]) => value !== '');
  return merged.length > 0 ? Object.fromEntries(merged) : undefined;
}
