// Withholds orders for names that another source had first. Whoever registers asks the same, but lists lag behind, and two may
// ask at one time: this is where it is decided.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import type { CertificateSpec } from '../../certificate/spec.ts';
import { type StoredSpec, specSources } from '../../certificate/stored.ts';
import {
  holderOfSpec,
  NameBook,
  type NameHolder,
  type NameSources,
  openSources,
} from '../../policy/registration/name-holders.ts';
import { describeError } from '../../ports/errors.ts';
import type { StoreEntry } from '../../ports/store.ts';
import { parseDomains } from '../../state/describe.ts';
import type { IssueInvocation, IssuePorts } from '../invocation.ts';
import { type Candidate, type PlannedCertificate, readSpecification } from './gather.ts';

/** Stands as the last error on the tags of what is withheld. */
const nameTaken = 'NameTaken';
/** Values read for names that are too many for tags, at once and in all. */
const concurrency = 32;
const mostRead = 200;
/** Names that one message tells. */
const mostNamed = 5;

/** What a pass is asked, as far as it matters here. */
export interface NamesRequest {
  readonly certificates?: readonly string[] | undefined;
  readonly dryRun?: boolean | undefined;
}

/** An order that may be withheld. */
interface ContestableOrder {
  readonly candidate: Candidate;
  readonly holder: NameHolder;
}

/** The plan in which an order waits (`NameTaken`) for a name that another source of specifications had first. First orders always;
 *  renewals only of what was registered after this version first ran here, so that what was shared before stays shared. Nothing
 *  is called where no order could meet another source. What the inventory file has is judged with the rest of it (`NotAllowed`).
 *  @throws StoreError where listing fails. */
export async function withholdTakenNames(
  plan: readonly PlannedCertificate[],
  request: NamesRequest,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<readonly PlannedCertificate[]> {
  const sources = openSources(invocation.inventory);
  const contestable = plan.flatMap((candidate): readonly ContestableOrder[] => {
    const holder = candidate.plan.decision === 'order' ? holderOf(candidate, sources) : undefined;
    return holder && sources.mayBeShared(holder) ? [{ candidate, holder }] : [];
  });
  if (contestable.length === 0) return plan;

  const { entries, dates } = await listOthers(plan, request, ports, invocation);
  const holders = await findHolders(entries, plan, { ...ports, sources }, invocation);
  const book = new NameBook([
    ...holders,
    ...contestable.map(({ holder }) => ({ ...holder, since: dates(holder.certificate) })),
  ]);
  const firstRun = await readFirstRun(contestable, ports, invocation);
  const withheld = new Map<string, string>();
  for (const { candidate, holder } of contestable) {
    const since = dates(holder.certificate);
    const isInUse = isRenewal(candidate);
    if (isInUse && !(firstRun && since > firstRun)) continue;
    const taken = book.findTaken({ ...holder, since }, isInUse ? 'same' : 'all');
    if (taken.length === 0) continue;
    const messages = taken.slice(0, mostNamed).map(({ message }) => message);
    const more = taken.length > mostNamed ? `; and ${taken.length - mostNamed} names more` : '';
    withheld.set(holder.certificate, `${messages.join('; ')}${more}: take the name out of one of the two`);
  }
  return mapConcurrently(plan, concurrency, async (planned) => {
    const problem = withheld.get(planned.name);
    return problem === undefined ? planned : withhold(planned, problem, request, ports, invocation);
  });
}

/** In the log each time, on the tags once. */
async function withhold(
  planned: PlannedCertificate,
  problem: string,
  { dryRun = false }: NamesRequest,
  { store, log }: IssuePorts,
  { signal }: IssueInvocation,
): Promise<PlannedCertificate> {
  const { name, entry } = planned;
  const isRecorded = entry?.state.error === nameTaken;
  log[isRecorded ? 'warn' : 'error']('name taken', { certificate: name, problem });
  if (!isRecorded && !dryRun) {
    try {
      await store.record(name, { error: nameTaken }, signal);
    } catch (error) {
      log.warn('state not recorded', { certificate: name, problem: describeError(error) });
    }
  }
  const message = `${problem}; to order: ${planned.plan.message}`;
  return { ...planned, plan: { name, decision: 'wait', reason: 'NameTaken', message } };
}

/** What it asks for; `undefined` for what a person put into the file or imported, which is never withheld. */
function holderOf({ spec, entry }: Candidate, sources: NameSources): NameHolder | undefined {
  if (!spec) return entry && entry.state.source !== 'import' ? sources.holderOf(entry) : undefined;
  return isStored(spec) && spec.source !== 'import' ? holderOfSpec(spec) : undefined;
}

function isStored(spec: CertificateSpec | StoredSpec): spec is StoredSpec {
  return 'source' in spec;
}

function isRenewal({ situation }: Candidate): boolean {
  return situation.actual.kind !== 'nothing';
}

/** A pass over everything has listed already. One that the list does not show yet was registered just now. */
async function listOthers(
  all: readonly Candidate[],
  { certificates }: NamesRequest,
  { store, clock }: IssuePorts,
  { signal }: IssueInvocation,
): Promise<{ readonly entries: readonly StoreEntry[]; readonly dates: (name: string) => Date }> {
  const entries = certificates
    ? await store.list(signal, specSources)
    : all.flatMap(({ entry }) => entry ?? []);
  const byName = new Map(entries.map((entry) => [entry.name, entry.createdAt ?? new Date(0)]));
  const now = clock.now();
  return { entries, dates: (name) => byName.get(name) ?? now };
}

/** By specifications that are known already, by tags, and by values where tags do not tell. */
async function findHolders(
  entries: readonly StoreEntry[],
  plan: readonly PlannedCertificate[],
  { store, log, sources }: IssuePorts & { readonly sources: NameSources },
  { inventory, signal }: IssueInvocation,
): Promise<readonly NameHolder[]> {
  const inFile = new Set(inventory.certificates.map(({ name }) => name));
  const specs = new Map(plan.map(({ name, spec }) => [name, spec]));
  let readsLeft = mostRead;
  const found = await mapConcurrently(entries, concurrency, async (entry) => {
    const { name, state, createdAt = new Date(0) } = entry;
    const spec = specs.get(name);
    if (spec && isStored(spec)) return [holderOfSpec(spec, createdAt)];
    if (!state.source || parseDomains(state)) return sources.holderOf(entry) ?? [];
    if (inFile.has(name) || readsLeft === 0) return [];
    readsLeft -= 1;
    try {
      return [holderOfSpec(await readSpecification(name, store, signal), createdAt)];
    } catch (error) {
      log.warn('specification not read', { certificate: name, problem: describeError(error) });
      return [];
    }
  });
  return found.flat();
}

/** Only where a renewal asks. `undefined` where nobody can tell: then nothing is withheld that is in use. */
async function readFirstRun(
  contestable: readonly ContestableOrder[],
  { installation, log }: IssuePorts,
  { signal }: IssueInvocation,
): Promise<Date | undefined> {
  if (!contestable.some(({ candidate }) => isRenewal(candidate))) return undefined;
  try {
    const firstRun = (await installation?.read(signal))?.firstRun;
    return firstRun && firstRun.getTime() > 0 ? firstRun : undefined;
  } catch (error) {
    log.warn('installation not read', { problem: describeError(error) });
    return undefined;
  }
}
