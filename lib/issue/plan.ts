// Observes every requested certificate and plans what happens to it. Nothing here orders a certificate.

import { planCertificates } from '../policy/issuance/plan.ts';
import type { InstallationRecord } from '../ports/installation.ts';
import type { StoreEntry } from '../ports/store.ts';
import { admitOrders } from './gather/admission.ts';
import { type Allowance, addGrace, openAllowance } from './gather/allowance.ts';
import type { rehearseOrders } from './gather/dry-run.ts';
import {
  type Candidate,
  gather,
  type PlannedCertificate,
  type UnreadableCertificate,
} from './gather/gather.ts';
import { fetchWindows, needsRenewalInfo } from './gather/renewal-info.ts';
import { beginInstallation, isFirstPass, readInstallation } from './installation.ts';
import type { IssueInvocation, IssuePorts, ReconcileRequest } from './invocation.ts';
import type { RetiringCertificate } from './retiring/found.ts';

/** What an invocation knows of the requested certificates, and what it is going to do. */
export interface IssuePlan {
  /** Every certificate with its line of the plan, the most urgent first. */
  readonly certificates: readonly PlannedCertificate[];
  /** Certificates that could not be read, each with its error. */
  readonly unreadable: readonly UnreadableCertificate[];
  /** Certificates that are let go. */
  readonly retiring: readonly RetiringCertificate[];
  /** Store entries whose orders left claims or TXT values, and that nobody asks for, or may ask for, any
   *  more. */
  readonly abandoned: readonly StoreEntry[];
  /** Names whose values a later pass compares with their tags. */
  readonly uncompared: readonly string[];
  readonly allowance: Allowance;
  readonly installation: InstallationRecord | 'unknown' | undefined;
  /** Whether everything was read and recorded that the first full pass must record. */
  readonly isComplete: boolean;
}

/** Gathers, asks the CAs about renewal windows, judges, and holds back what must wait. Certificates that
 *  cannot be read are part of the result. A dry run writes nothing. @throws StoreError if listing fails. */
export async function planIssuing(
  request: ReconcileRequest,
  ports: IssuePorts,
  invocation: IssueInvocation,
): Promise<IssuePlan> {
  const { certificates, dryRun = false, compare } = request;
  const isOverAll = certificates === undefined;
  const isFull = isOverAll && !dryRun;
  const record = isFull ? await readInstallation(ports, invocation) : undefined;
  const comparedUntil = record === 'unknown' ? undefined : record?.comparedUntil;
  const comparedSince = compare ? 'all' : comparedUntil;
  const gathered = await gather({ ...request, comparedSince }, ports, invocation);
  const { unreadable, uncompared, specs, orphans, retiring } = gathered;
  const installation =
    isFull && !record ? await beginInstallation(hasStoredVersions(gathered), ports, invocation) : record;
  const grantsGrace = isFirstPass(installation);
  const allowance = openAllowance({ dryRun, installation, grantsGrace, isOverAll }, ports, invocation);
  const checked = await allowance.checkAll(gathered.candidates, specs);
  const now = ports.clock.now();
  const candidates = dryRun
    ? checked.candidates
    : await refreshWindows(checked.candidates, ports, invocation, now);
  const judged = planCertificates(candidates, now);
  const admission = { ...request, allowance };
  const admitted = await admitOrders(judged, admission, ports, invocation);
  const rehearsed = dryRun ? await rehearse(admitted, admission, ports, invocation) : admitted;
  const planned = addGrace(rehearsed);
  return {
    certificates: planned,
    unreadable,
    retiring,
    abandoned: [...orphans, ...findDisallowedClaims(planned)],
    uncompared,
    allowance,
    installation,
    isComplete: checked.isComplete && unreadable.length === 0,
  };
}

async function rehearse(...given: Parameters<typeof rehearseOrders>) {
  const { rehearseOrders } = await import('./gather/dry-run.ts');
  return rehearseOrders(...given);
}

/** Whether any certificate was stored here before this pass, by whatever version of Certrelay. */
function hasStoredVersions({ candidates, orphans, retiring }: Awaited<ReturnType<typeof gather>>): boolean {
  const entries = [...candidates, ...retiring].map(({ entry }) => entry).concat(orphans);
  return entries.some((entry) => entry?.state.version !== undefined);
}

/** The candidates, with the CA's answer for those whose CA should be asked now. */
async function refreshWindows(
  candidates: readonly Candidate[],
  ports: IssuePorts,
  invocation: IssueInvocation,
  now: Date,
): Promise<readonly Candidate[]> {
  const due = candidates.filter((candidate) => needsRenewalInfo(candidate, now));
  if (due.length === 0) return candidates;
  const updated = await fetchWindows(due, { ...ports, ...(await ports.openOrdering()) }, invocation);
  const byName = new Map(updated.map((candidate) => [candidate.name, candidate]));
  return candidates.map((candidate) => byName.get(candidate.name) ?? candidate);
}

/** Entries of certificates that the inventory does not allow any more and that are still claimed. */
function findDisallowedClaims(certificates: readonly PlannedCertificate[]): readonly StoreEntry[] {
  return certificates
    .flatMap(({ plan, entry }) => (plan.reason === 'NotAllowed' && entry ? [entry] : []))
    .filter(({ pending }) => pending !== undefined);
}
