// Compares tags with what they describe: corrects times that no rule can give, and compares a share of the
// values at each full pass.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { verifyBundle } from '../../certificate/bundle.ts';
import type { StoredSpec } from '../../certificate/stored.ts';
import { actualByTags } from '../../policy/issuance/actual.ts';
import { findDisagreements, isInShare, type Truth, trueFields } from '../../policy/issuance/comparison.ts';
import { boundTimes } from '../../policy/issuance/time-bounds.ts';
import type { Clock } from '../../ports/clock.ts';
import { describeError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';
import { type CertificateStore, type StoredVersion, type StoreEntry, StoreError } from '../../ports/store.ts';
import type { CertificateState } from '../../state/state.ts';

/** The ports of the comparison. */
export interface ComparisonPorts {
  readonly store: CertificateStore;
  readonly clock: Clock;
  readonly log: Log;
}

/** What to compare. */
export interface ComparisonRequest {
  readonly dryRun?: boolean | undefined;
  /** The instant since when values are compared; absent: none is. `all`: every value. */
  readonly comparedSince?: Date | 'all' | undefined;
}

/** Values read at once. */
const concurrency = 32;
/** The most values that one pass compares. */
const mostCompared = 1_000;

/** `check`: corrects an entry as it is read: impossible times of every entry, tags that disagree with the
 *  value of entries in the share of this pass. `prove`: does that for an entry whose tags alone are why a
 *  certificate would be ordered, or say too little, 1,000 times at most; a dry run writes nothing.
 *  `uncompared`: names of the share beyond 1,000. `specs`: specifications of the values that were read. */
export function compareShare(
  names: readonly string[],
  { dryRun = false, comparedSince }: ComparisonRequest,
  ports: ComparisonPorts,
  signal: AbortSignal,
): {
  readonly check: (entry: StoreEntry | undefined) => Promise<StoreEntry | undefined>;
  readonly prove: (entry: StoreEntry) => Promise<StoreEntry>;
  readonly uncompared: readonly string[];
  readonly specs: ReadonlyMap<string, StoredSpec>;
} {
  const specs = new Map<string, StoredSpec>();
  const now = ports.clock.now();
  const share = comparedSince === 'all' ? names : names.filter((name) => isInShare(name, comparedSince, now));
  const compared = new Set(dryRun ? [] : share.slice(0, mostCompared));
  const compare = async (entry: StoreEntry): Promise<StoreEntry> => {
    try {
      return await compareEntry(entry, specs, { ...ports, isDryRun: dryRun }, signal);
    } catch (error) {
      signal.throwIfAborted();
      // The tags then decide, as in other passes.
      const level = error instanceof StoreError && error.code === 'Throttled' ? 'warn' : 'error';
      ports.log[level]('value not compared', { certificate: entry.name, problem: describeError(error) });
      return entry;
    }
  };
  let proofsLeft = mostCompared;
  return {
    async check(entry) {
      if (!entry) return undefined;
      const bounded = await boundEntry(entry, dryRun, ports, signal);
      return compared.has(entry.name) ? await compare(bounded) : bounded;
    },
    async prove(entry) {
      return compared.has(entry.name) || proofsLeft-- <= 0 ? entry : await compare(entry);
    },
    uncompared: dryRun ? [] : share.slice(mostCompared),
    specs,
  };
}

type Change = Parameters<CertificateStore['record']>[1];

/** The entry with possible times only. Others are corrected on the tags, with an error in the log; a dry
 *  run writes nothing. */
async function boundEntry(
  entry: StoreEntry,
  isDryRun: boolean,
  { store, clock, log }: ComparisonPorts,
  signal: AbortSignal,
): Promise<StoreEntry> {
  const now = clock.now();
  const { state, corrected } = boundTimes(entry.state, now);
  if (corrected.length === 0) return entry;
  if (isDryRun) return { ...entry, state };
  const change: Change = {
    ...Object.fromEntries(corrected.map((field) => [field, state[field] ?? null])),
    tagsDisagree: now,
  };
  logDisagreement(entry.name, corrected, entry.state, log);
  try {
    await store.record(entry.name, change, signal);
  } catch (error) {
    signal.throwIfAborted();
    log.warn('state not recorded', { certificate: entry.name, problem: describeError(error) });
  }
  return { ...entry, state: { ...state, tagsDisagree: now } };
}

/** Finds entries without a source on their tags whose value contains a specification: somebody removed the
 *  tag, and nobody would renew them. Compares the share of this pass, writes the tags again and returns
 *  these entries. Rejects only when the signal is aborted. */
export async function findUntagged(
  entries: readonly StoreEntry[],
  { dryRun = false, comparedSince }: ComparisonRequest,
  ports: ComparisonPorts,
  signal: AbortSignal,
): Promise<readonly StoreEntry[]> {
  const now = ports.clock.now();
  const since = comparedSince === 'all' ? undefined : comparedSince;
  const share = dryRun
    ? []
    : entries.filter(({ name }) => isInShare(name, since, now)).slice(0, mostCompared);
  const found = await mapConcurrently(share, concurrency, async (entry): Promise<StoreEntry | undefined> => {
    try {
      const current = await ports.store.read(entry.name, 'AWSCURRENT', signal);
      const truth = current && specIn(current) && truthOf(current);
      const fresh = truth && (await ports.store.describe(entry.name, signal));
      if (!truth || !fresh || fresh.current !== current.version || fresh.state.source) return undefined;
      logDisagreement(entry.name, ['source'], fresh.state, ports.log);
      const change: Change = { ...trueFields(truth), ...forgottenWindow, tagsDisagree: now };
      await ports.store.record(entry.name, change, signal);
      return withChange(fresh, change);
    } catch (error) {
      signal.throwIfAborted();
      ports.log.warn('value not compared', { certificate: entry.name, problem: describeError(error) });
      return undefined;
    }
  });
  return found.filter((entry) => entry !== undefined);
}

function withChange(entry: StoreEntry, change: Change): StoreEntry {
  const merged = Object.entries({ ...entry.state, ...change }).filter(([, value]) => value !== null);
  return { ...entry, state: Object.fromEntries(merged) };
}

/** The entry with tags that agree with its value. If they did not, they are written again, with an error in
 *  the log, and without one if they only said too little; because listing lags, the entry is described
 *  first. After a value that no server can use, the tags say that the value must be read.
 *  @throws StoreError if the value cannot be read. */
async function compareEntry(
  entry: StoreEntry,
  specs: Map<string, StoredSpec>,
  { store, clock, log, isDryRun }: ComparisonPorts & { readonly isDryRun: boolean },
  signal: AbortSignal,
): Promise<StoreEntry> {
  const found = await store.read(entry.name, 'AWSCURRENT', signal);
  const spec = found && specIn(found);
  if (spec) specs.set(entry.name, spec);
  if (!found || isBlank(found) || agrees(entry, found)) return entry;
  const fresh = await store.describe(entry.name, signal);
  if (fresh?.current !== found.version) return fresh ?? entry;
  if (agrees(fresh, found)) return fresh;
  const truth = truthOf(found);
  if (isUntold(fresh, found) && !contradicts(fresh, truth)) {
    const told: Change = truth ? { ...trueFields(truth), ...forgottenWindow } : {};
    const completed = withChange(fresh, told);
    // Whoever holds a claim may be about to write them.
    if (isUntold(completed, found) || fresh.pending !== undefined) return fresh;
    if (isDryRun) return completed;
    log.info('tags completed', { certificate: entry.name, version: found.version });
    await store.record(entry.name, told, signal);
    return completed;
  }
  const change: Change = {
    ...(truth ? { ...trueFields(truth), ...forgottenWindow } : { version: null }),
    tagsDisagree: clock.now(),
  };
  if (isDryRun) return withChange(fresh, change);
  const fields = truth ? findDisagreements(fresh.state, truth) : (['version'] as const);
  logDisagreement(entry.name, fields, fresh.state, log);
  await store.record(entry.name, change, signal);
  return withChange(fresh, change);
}

/** The CA's window is forgotten: nobody knows who wrote it. */
const forgottenWindow = {
  windowStart: null,
  windowEnd: null,
  windowOf: null,
  explanationUrl: null,
  askAfter: null,
};

function specIn({ value }: StoredVersion): StoredSpec | undefined {
  if (value.kind === 'specification') return value.spec;
  return value.kind === 'certificate' ? value.certificate.spec : undefined;
}

/** Whether it is the first version of a certificate of the inventory file, of which tags can say nothing. */
function isBlank({ value }: StoredVersion): boolean {
  return value.kind === 'specification' && !value.spec;
}

/** Whether the tags do not say what this version is: one of them is missing, or they describe another one. */
function isUntold(entry: StoreEntry, { value }: StoredVersion): boolean {
  return value.kind !== 'specification' && actualByTags(entry) === undefined;
}

function agrees(entry: StoreEntry, found: StoredVersion): boolean {
  const truth = truthOf(found);
  return truth !== undefined && !isUntold(entry, found) && findDisagreements(entry.state, truth).length === 0;
}

/** Whether tags that name this version say otherwise than its value. */
function contradicts({ current, state }: StoreEntry, truth: Truth | undefined): boolean {
  return truth !== undefined && state.version === current && findDisagreements(state, truth).length > 0;
}

/** What the tags must say by the value; `undefined` for a value that no server can use. */
function truthOf({ version, value }: StoredVersion): Truth | undefined {
  if (value.kind === 'specification' && value.spec) return { kind: 'specification', spec: value.spec };
  if (value.kind !== 'certificate') return undefined;
  const verdict = verifyBundle(value.certificate);
  return verdict.ok
    ? { kind: 'certificate', version, facts: verdict.bundle.facts, stored: value.certificate }
    : undefined;
}

function logDisagreement(
  certificate: string,
  fields: readonly (keyof CertificateState)[],
  state: CertificateState,
  log: Log,
): void {
  const recorded = Object.fromEntries(fields.map((field) => [field, state[field]]));
  log.error('tags disagreed', {
    certificate,
    said: recorded,
    problem: `tags of its AWS secret disagreed with its value or the rules: ${fields.join(', ')}; Certrelay corrected them. Find out who wrote them: aws cloudtrail lookup-events --lookup-attributes AttributeKey=EventName,AttributeValue=TagResource`,
  });
}
