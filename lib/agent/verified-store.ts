// The certificates of one cluster as its agent may see them: what was not signed for it is not given, and what is recorded
// goes into its own report.

import { mapConcurrently } from '../async/map-concurrently.ts';
import { verifyBundle } from '../certificate/bundle.ts';
import { type StatementProblem, verifyStatement } from '../certificate/statement.ts';
import type { StoredCertificate } from '../certificate/stored.ts';
import { applyResumption, shortenFreeze, targetsIn } from '../policy/delivery/agents.ts';
import { freezeOf } from '../policy/delivery/freeze.ts';
import { AgentError } from '../ports/agents.ts';
import type { Log } from '../ports/log.ts';
import { type CertificateStore, type StoredVersion, type StoreEntry, StoreError } from '../ports/store.ts';
import type { AgentReport, SeenServed, ServedRecord } from '../state/delivery.ts';
import { isSameValue } from '../state/same.ts';
import type { CertificateState, StateChange } from '../state/state.ts';
import { permissionsKey } from '../state/targets.ts';
import type { SignedStatement } from './memory.ts';

/** The part of the store that delivering and probing need. */
type Store = Pick<CertificateStore, 'list' | 'describe' | 'read' | 'record'>;

/** AWS secrets described at once. */
const concurrency = 16;

export interface AgentScope {
  readonly cluster: string;
  readonly publicKeys: readonly string[];
  /** Certificates of the inventory that go to the cluster. */
  readonly names: readonly string[];
  /** Whether others may have been registered for it: only listing all tells, which the agent's role must then allow. */
  readonly lists: boolean;
}

/** One pass long: what was described is remembered. */
export class VerifiedStore implements Store {
  readonly #store: Store;
  readonly #scope: AgentScope;
  readonly #log: Log;
  readonly #signatures = new Map<string, string | undefined>();
  readonly #reports = new Map<string, AgentReport>();
  readonly #statements = new Map<string, SignedStatement>();

  constructor(store: Store, scope: AgentScope, log: Log) {
    this.#store = store;
    this.#scope = scope;
    this.#log = log;
  }

  /** Those of the inventory, and the registered ones that are signed for this cluster. */
  async list(signal: AbortSignal): Promise<readonly StoreEntry[]> {
    const { names, lists, cluster } = this.#scope;
    const own = await mapConcurrently(names, concurrency, (name) => this.describe(name, signal));
    const all = lists ? await this.#store.list(signal) : [];
    const registered = all
      .filter(({ name, state }) => !names.includes(name) && state.signatures?.[cluster] !== undefined)
      .map((entry) => this.#asOwn(entry));
    return [...own.filter((entry) => entry !== undefined), ...registered];
  }

  /** `undefined` also for what AWS does not show: nothing has been signed for this cluster there. */
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

  /** @throws AgentError where the version in use, or a registered certificate's targets, were not signed for this cluster.
   *  Others are given as they are: whether one may come back is for `Returns` to judge. */
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

  /** Goes into the report; of other fields an agent knows nothing. */
  async record(name: string, state: Parameters<Store['record']>[1], signal: AbortSignal): Promise<void> {
    const before = this.#reports.get(name) ?? {};
    const report = changeReport(before, state);
    if (isSameValue(report, before)) return;
    await this.#store.record(name, { reports: { [this.#scope.cluster]: report } }, signal);
    this.#reports.set(name, report);
  }

  /** What was said of the version that was last read. */
  statementOf(name: string): SignedStatement | undefined {
    return this.#statements.get(name);
  }

  /** The state as this cluster sees it: delivered and served are what its own report says, and the version in use is held where
   *  `deploy` or the agent itself has noted that. */
  #asOwn({ state, ...entry }: StoreEntry): StoreEntry {
    const { cluster } = this.#scope;
    const report = applyResumption(state.reports?.[cluster], state.resumed);
    this.#signatures.set(entry.name, state.signatures?.[cluster]);
    this.#reports.set(entry.name, report);
    return { ...entry, state: stateWithin(state, report, entry.current) };
  }

  #verify(certificate: string, version: string, stored: StoredCertificate): SignedStatement {
    const { cluster, publicKeys, names } = this.#scope;
    const verdict = verifyBundle(stored);
    if (!verdict.ok) throw new AgentError('BadSignature', `${certificate}: ${verdict.message}`);
    const { fingerprint, notBefore, notAfter } = verdict.bundle.facts;
    // Of a certificate in the agent's own inventory nobody looks at the targets that are stored.
    const spec = names.includes(certificate) ? undefined : stored.spec;
    const targets = spec && permissionsKey(targetsIn(spec.targets, cluster));
    const content = { cluster, certificate, version, fingerprint, notBefore, notAfter, targets };
    const text = this.#signatures.get(certificate) ?? '';
    const verified = verifyStatement(text, content, publicKeys);
    if (verified.ok) return { ...verified.statement, text };
    throw new AgentError(verified.problem, `${certificate} ${explain[verified.problem](cluster)}`);
  }
}

const explain: Readonly<Record<StatementProblem, (cluster: string) => string>> = {
  Unsigned: (cluster) =>
    `is not signed for cluster ${cluster}: the next pass of issue signs it, if the inventory says that it goes there`,
  OtherVersion: (cluster) =>
    `has a version that is not signed for cluster ${cluster} yet: the next pass of issue signs it`,
  BadSignature: (cluster) =>
    `was not signed for cluster ${cluster} by a key of CERTRELAY_SIGNING_KEY: it was tampered with, or is meant for another cluster, or the key is another one now (see status)`,
  OtherTargets: (cluster) =>
    `has other targets than were signed for cluster ${cluster}: issue signs them if it finds them in use, else they were tampered with`,
};

/** The report after a change of the state that its agent sees. */
function changeReport(before: AgentReport, change: StateChange): AgentReport {
  const { deployed, notServedSince, probedAt, freeze } = change;
  return {
    ...take('deployed', deployed, before),
    ...take('served', change.served && withoutVersion(change.served), before),
    ...take('notServedSince', notServedSince, before),
    ...take('probedAt', probedAt, before),
    ...take('freeze', freeze && shortenFreeze(freeze), before),
    ...take('resumedAt', undefined, before),
  };
}

/** One field as it is after a change; absent where that clears it. */
function take<K extends keyof AgentReport>(
  field: K,
  value: AgentReport[K] | null | undefined,
  before: AgentReport,
): AgentReport {
  const after = value === undefined ? before[field] : value;
  return after == null ? {} : { [field]: after };
}

function withoutVersion(record: ServedRecord): SeenServed {
  const { version: _, ...seen } = record;
  return seen;
}

/** The state with what the report says in place of what `deploy` and `probe` have noted for other clusters; but what `deploy` has
 *  frozen stays frozen. */
function stateWithin(
  state: CertificateState,
  { deployed, served, notServedSince, probedAt, freeze }: AgentReport,
  current: string | undefined,
): CertificateState {
  const others = ['deployed', 'served', 'notServedSince', 'probedAt', 'freeze'];
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
