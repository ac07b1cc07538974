// The store as one cluster's agent uses it: it returns only versions that are signed for the cluster, and
// records only the agent's own report.

import { mapConcurrently } from '../async/map-concurrently.ts';
import { verifyBundle } from '../certificate/bundle.ts';
import { type StatementProblem, verifyStatement } from '../certificate/statement.ts';
import type { StoredCertificate } from '../certificate/stored.ts';
import { applyResumption, isWithdrawn, shortenFreeze, targetsIn } from '../policy/delivery/agents.ts';
import { freezeOf } from '../policy/delivery/freeze.ts';
import { findRetirement } from '../policy/retirement/retirement.ts';
import { AgentError } from '../ports/agents.ts';
import type { Log } from '../ports/log.ts';
import { type CertificateStore, type StoredVersion, type StoreEntry, StoreError } from '../ports/store.ts';
import type { AgentReport, DeliveryRecord, SeenServed, ServedRecord } from '../state/delivery.ts';
import { isSameValue } from '../state/same.ts';
import type { CertificateState, StateChange } from '../state/state.ts';
import { permissionsKey } from '../state/targets.ts';
import type { SignedStatement } from './replay.ts';

/** The part of the store that delivering and probing need. */
type Store = Pick<CertificateStore, 'list' | 'describe' | 'read' | 'record'>;

/** How many AWS secrets are described at once. */
const concurrency = 16;

/** What one agent may read and trust. */
export interface AgentScope {
  /** Key of `Inventory.clusters`. */
  readonly cluster: string;
  /** Keys whose signatures the agent trusts (CERTRELAY_SIGNING_KEY). */
  readonly publicKeys: readonly string[];
  /** Names of the inventory's certificates that go to the cluster. */
  readonly names: readonly string[];
  /** Whether certificates may be registered for the cluster. Then all AWS secrets are listed, which the
   *  agent's role must allow. */
  readonly lists: boolean;
}

/** The store for one pass: it remembers the signatures and reports of described entries. */
export class VerifiedStore implements Store {
  readonly #store: Store;
  readonly #scope: AgentScope;
  readonly #log: Log;
  readonly #signatures = new Map<string, string | undefined>();
  readonly #reports = new Map<string, AgentReport>();
  readonly #statements = new Map<string, SignedStatement>();
  /** Certificates whose tags and statement both say that they are let go. */
  readonly #letGo = new Set<string>();

  constructor(store: Store, scope: AgentScope, log: Log) {
    this.#store = store;
    this.#scope = scope;
    this.#log = log;
  }

  /** Entries of the inventory's certificates, and of registered ones with a statement for this cluster. */
  async list(signal: AbortSignal): Promise<readonly StoreEntry[]> {
    const { names, lists, cluster } = this.#scope;
    const own = await mapConcurrently(names, concurrency, (name) => this.describe(name, signal));
    const all = lists ? await this.#store.list(signal) : [];
    const registered = all
      .filter(({ name, state }) => !names.includes(name) && state.signatures?.[cluster] !== undefined)
      .map((entry) => this.#asOwn(entry));
    return [...own.filter((entry) => entry !== undefined), ...registered];
  }

  /** The entry; `undefined` if there is none, or if AWS denies access, because it is not signed for this
   *  cluster yet. */
  async describe(name: string, signal: AbortSignal): Promise<StoreEntry | undefined> {
    try {
      const entry = await this.#store.describe(name, signal);
      return entry && this.#asOwn(entry);
    } catch (error) {
      if (!(error instanceof StoreError && error.code === 'Denied')) throw error;
      this.#log.info('certificate not signed yet', { certificate: name, problem: error.message });
      return undefined;
    }
  }

  /** Reads a version. AWSCURRENT is verified; its targets are cut down to this cluster's. Other versions are
   *  returned as they are: `RollbackGuard` decides whether one may come back.
   *  @throws AgentError if AWSCURRENT, or the targets of a registered certificate, are not signed for this
   *  cluster. */
  async read(
    name: string,
    which: Parameters<Store['read']>[1],
    signal: AbortSignal,
  ): Promise<StoredVersion | undefined> {
    const stored = await this.#store.read(name, which, signal);
    if (which !== 'AWSCURRENT' || stored?.value.kind !== 'certificate') return stored;
    const { certificate } = stored.value;
    this.#statements.set(name, this.#verify(name, stored.version, certificate));
    const { spec } = certificate;
    const own = spec && { ...spec, targets: targetsIn(spec.targets, this.#scope.cluster) };
    return { ...stored, value: { kind: 'certificate', certificate: { ...certificate, spec: own } } };
  }

  /** Writes the change to the agent's report, if it changes anything. Fields that a report does not have
   *  are ignored. */
  async record(name: string, state: Parameters<Store['record']>[1], signal: AbortSignal): Promise<void> {
    const before = this.#reports.get(name) ?? {};
    const report = changeReport(before, state);
    if (isSameValue(report, before)) return;
    await this.#store.record(name, { reports: { [this.#scope.cluster]: report } }, signal);
    this.#reports.set(name, report);
  }

  /** The verified statement for the AWSCURRENT that was last read; `undefined` if none was. */
  statementOf(name: string): SignedStatement | undefined {
    return this.#statements.get(name);
  }

  /** The entry as this cluster sees it: its own report says what is delivered and served. The current
   *  version is frozen if `deploy` or the agent itself has recorded that. */
  #asOwn({ state: tagged, ...entry }: StoreEntry): StoreEntry {
    const { cluster } = this.#scope;
    const state = this.#withSignedWish(entry.name, tagged);
    const report = applyResumption(state.reports?.[cluster], state.resumed);
    this.#signatures.set(entry.name, state.signatures?.[cluster]);
    this.#reports.set(entry.name, report);
    return { ...entry, state: stateWithin(state, report, entry.current) };
  }

  /** Tags alone let nothing go here: the statement has to say it too, and `read` verifies that. */
  #withSignedWish(name: string, state: CertificateState): CertificateState {
    const certificates = this.#scope.names.map((own) => ({ name: own }));
    const isMeant = findRetirement({ name, state }, { certificates }) !== undefined;
    if (!isMeant) {
      this.#letGo.delete(name);
      return state;
    }
    if (isWithdrawn(state.signatures?.[this.#scope.cluster])) {
      this.#letGo.add(name);
      return state;
    }
    this.#letGo.delete(name);
    const { retire: _, unregister: __, gone: ___, ...rest } = state;
    return rest;
  }

  #verify(certificate: string, version: string, stored: StoredCertificate): SignedStatement {
    const { cluster, publicKeys, names } = this.#scope;
    const bundle = verifyBundle(stored);
    if (!bundle.ok) throw new AgentError('BadSignature', bundle.message);
    const { fingerprint, notBefore, notAfter } = bundle.bundle.facts;
    // For a certificate in the agent's own inventory, the stored targets are not used.
    const spec = names.includes(certificate) ? undefined : stored.spec;
    const own = this.#letGo.has(certificate) ? [] : spec && targetsIn(spec.targets, cluster);
    const targets = own && permissionsKey(own);
    const content = { cluster, certificate, version, fingerprint, notBefore, notAfter, targets };
    const text = this.#signatures.get(certificate) ?? '';
    const verified = verifyStatement(text, content, publicKeys);
    if (verified.ok) return { ...verified.statement, text };
    throw new AgentError(verified.problem, explain[verified.problem](cluster));
  }
}

const explain: Readonly<Record<StatementProblem, (cluster: string) => string>> = {
  Unsigned: (cluster) =>
    `it is not signed for cluster ${cluster}: the next pass of issue signs it if the inventory has a target there`,
  OtherVersion: (cluster) =>
    `it has a version that is not signed for cluster ${cluster} yet: the next pass of issue signs it`,
  BadSignature: (cluster) =>
    `it was not signed for cluster ${cluster} by a key of CERTRELAY_SIGNING_KEY: it was changed, or is for another cluster, or the key was replaced (compare "signingKey" of status)`,
  OtherTargets: (cluster) =>
    `it has other targets than were signed for cluster ${cluster}: issue signs them if it finds them in use; if not, somebody changed them`,
};

/** The report after a change of state. */
function changeReport(before: AgentReport, change: StateChange): AgentReport {
  const { deployed, notServedSince, probedAt, freeze } = change;
  return {
    ...take('deployed', deployed && withoutHoldings(deployed), before),
    ...take('served', change.served && withoutVersion(change.served), before),
    ...take('notServedSince', notServedSince, before),
    ...take('probedAt', probedAt, before),
    ...take('freeze', freeze && shortenFreeze(freeze), before),
    ...take('resumedAt', undefined, before),
  };
}

/** One field of the report after a change: `undefined` keeps it, `null` clears it. */
function take<K extends keyof AgentReport>(
  field: K,
  value: AgentReport[K] | null | undefined,
  before: AgentReport,
): AgentReport {
  const after = value === undefined ? before[field] : value;
  return after == null ? {} : { [field]: after };
}

/** `deploy` records what targets hold, also those of agents. */
function withoutHoldings(deployed: DeliveryRecord): DeliveryRecord {
  const { holds: _, ...record } = deployed;
  return record;
}

function withoutVersion(record: ServedRecord): SeenServed {
  const { version: _, ...seen } = record;
  return seen;
}

/** The state with the report's fields in place of those that `deploy` and `probe` recorded for other
 *  clusters. A version that `deploy` froze stays frozen. */
function stateWithin(
  state: CertificateState,
  { deployed, served, notServedSince, probedAt, freeze }: AgentReport,
  current: string | undefined,
): CertificateState {
  const others = [
    'deployed',
    'deliveredTo',
    'deliveryProblem',
    'served',
    'notServedSince',
    'probedAt',
    'freeze',
  ];
  const shared = Object.fromEntries(Object.entries(state).filter(([field]) => !others.includes(field)));
  const frozen = freezeOf(state.freeze, current) ?? freeze;
  return {
    ...shared,
    ...(deployed && { deployed }),
    ...(served && deployed && { served: { version: deployed.version, ...served } }),
    ...(notServedSince && { notServedSince }),
    ...(probedAt && { probedAt }),
    ...(frozen && { freeze: frozen }),
  };
}
