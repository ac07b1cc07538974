// Holds back orders that the CA's rate limits would refuse.
import { registeredDomain } from '../../certificate/name-parsing.ts';
import { namesKey } from '../../certificate/names.ts';
import { limitsOf, renewalMs } from '../../policy/issuance/published-limits.ts';
import { allocateBudgets, historyOf, type OrderRequest } from '../../policy/issuance/rate-limits.ts';
import { resumes } from '../../policy/issuance/resume.ts';
import type { IssueInvocation, IssuePorts, ReconcileRequest } from '../invocation.ts';
import type { Candidate, PlannedCertificate } from './gather.ts';

/** The plan in which orders beyond the CA's limits wait (`RateLimited`, with the instant), the least
 *  urgent first, also with `force`. An order that resumes spends nothing. @throws StoreError if listing
 *  fails. */
export async function withinBudgets(
  plan: readonly PlannedCertificate[],
  { certificates }: Pick<ReconcileRequest, 'certificates'>,
  { store, clock }: Pick<IssuePorts, 'store' | 'clock'>,
  invocation: IssueInvocation,
): Promise<readonly PlannedCertificate[]> {
  const now = clock.now();
  const requests = plan.flatMap((planned) =>
    planned.plan.decision === 'order' ? requestOf(planned, now) : [],
  );
  if (!requests.some(({ directory }) => limitsOf(directory))) return plan;
  // Named certificates were described one by one: only the list knows what the others have spent.
  const listed = certificates ? await store.list(invocation.signal) : [];
  const entries = new Map(listed.map((entry) => [entry.name, entry]));
  for (const { name, entry } of plan) if (entry) entries.set(name, entry);
  const shortages = allocateBudgets(
    requests,
    [...entries.values()].flatMap((entry) => historyOf(entry, now)),
    limitsOf,
    now,
  );
  return plan.map((planned): PlannedCertificate => {
    const { name } = planned;
    const shortage = shortages.get(name);
    if (!shortage) return planned;
    return { ...planned, plan: { name, decision: 'wait', reason: 'RateLimited', ...shortage } };
  });
}

function requestOf({ name, situation, spec, entry }: Candidate, now: Date): readonly OrderRequest[] {
  const { desired, actual, pending } = situation;
  if (resumes(pending, entry?.state)) return [];
  const log = entry?.state.orders;
  const domains = spec?.domains;
  const names = domains ? namesKey(domains) : (entry?.state.names ?? name);
  const registeredDomains = domains
    ? [...new Set(domains.map(registeredDomain))]
    : (log?.registeredDomains ?? []);
  const certificate = actual.kind === 'certificate' ? actual : undefined;
  const sinceMs = certificate ? now.getTime() - certificate.notBefore.getTime() : Number.POSITIVE_INFINITY;
  const lifetimeMs = certificate ? certificate.notAfter.getTime() - certificate.notBefore.getTime() : 0;
  return [
    {
      name,
      directory: desired.directory,
      registeredDomains,
      names,
      // Only inside its window is a renewal exempt (RFC 9773 and Let's Encrypt's rate limits).
      replaces:
        certificate?.window !== undefined && certificate.window.start <= now && now <= certificate.window.end,
      renewal:
        certificate?.names === names && certificate.issuer === desired.directory && sinceMs < renewalMs,
      // Without a certificate: urgent if the inventory file asks for it, not if anybody may register it.
      urgent: certificate ? sinceMs > lifetimeMs * 0.75 : !isRegistered(spec, entry),
    },
  ];
}

/** Whether a sender or an object in a cluster asked for the certificate, and not the inventory file. */
function isRegistered(spec: Candidate['spec'], entry: Candidate['entry']): boolean {
  return spec ? 'source' in spec : entry?.state.source !== undefined;
}
