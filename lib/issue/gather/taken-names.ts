// Withholds orders for names that another source had first. `register` checks the same, but lists lag and two
// senders may register at the same time: here it is decided.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import type { CertificateSpec } from '../../certificate/spec.ts';
import { type StoredSpec, specSources } from '../../certificate/stored.ts';
import { withNeed } from '../../policy/issuance/decision.ts';
import {
  holderOfSpec,
  NameBook,
  type NameHolder,
  type NameSources,
  openSources,
} from '../../policy/registration/name-holders.ts';
import { countOf } from '../../policy/words.ts';
import { describeError } from '../../ports/errors.ts';
import type { StoreEntry } from '../../ports/store.ts';
import type { IssueInvocation, IssuePorts, ReconcileRequest } from '../invocation.ts';
import { type Candidate, type PlannedCertificate, readSpecification } from './gather.ts';

/** The last error on the tags of a withheld certificate. */
const nameTaken = 'NameTaken';
/** Values read at once, and in all, of certificates whose names do not fit into tags. */
const concurrency = 32;
const mostRead = 200;
/** Names in one message. */
const mostNamed = 5;

/** An order that may be withheld. */
interface ContestableOrder {
  readonly candidate: Candidate;
  readonly holder: NameHolder;
}

/** The plan in which orders wait (`NameTaken`) for a name that another source of specifications had first.
 *  Applies to every first order, and to renewals of certificates that were registered after this version
 *  first ran here: names that were shared before stay shared. Names of the inventory file are judged
 *  elsewhere (`NotAllowed`). Makes no call if no order could meet another source. @throws StoreError if
 *  listing fails. */
export async function withholdTakenNames(
  plan: readonly PlannedCertificate[],
  request: Pick<ReconcileRequest, 'certificates' | 'dryRun'>,
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
    const more = taken.length > mostNamed ? `; and ${countOf(taken.length - mostNamed, 'name')} more` : '';
    withheld.set(holder.certificate, `${messages.join('; ')}${more}: take the name out of one of the two`);
  }
  return mapConcurrently(plan, concurrency, async (planned) => {
    const problem = withheld.get(planned.name);
    return problem === undefined ? planned : withhold(planned, { ...request, problem }, ports, invocation);
  });
}

/** Logs the problem at each pass, and records it on the tags once. */
async function withhold(
  planned: PlannedCertificate,
  { problem, dryRun = false }: Pick<ReconcileRequest, 'dryRun'> & { readonly problem: string },
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
  const message = withNeed(problem, planned.plan.message);
  return { ...planned, plan: { name, decision: 'wait', reason: 'NameTaken', message } };
}

/** The names that a certificate asks for. `undefined` if a person put it into the file or imported it: it
 *  is never withheld. */
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

/** Every entry with a source, and when each name was registered: now, if the list does not have it yet. A
 *  pass over all certificates has listed already. */
async function listOthers(
  all: readonly Candidate[],
  { certificates }: Pick<ReconcileRequest, 'certificates'>,
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

/** Who has which names: by specifications that were read, else by tags, else by values. */
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
    if (!state.source || state.domains) return sources.holderOf(entry) ?? [];
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

/** When this version first ran here; read only if a renewal needs it. `undefined` if nobody knows: then no
 *  renewal is withheld. */
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
