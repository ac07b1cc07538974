// Runs the preflight of DNS before orders: what would fail an order makes it wait, what may fail it becomes a
// warning.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { PromiseCache } from '../../async/promise-cache.ts';
import type { CaaSubject } from '../../policy/dns/caa.ts';
import { allowFallback, heedProblems, judgePreflight } from '../../policy/dns/preflight.ts';
import type { PlanEntry } from '../../policy/issuance/plan.ts';
import { resumes } from '../../policy/issuance/resume.ts';
import { areAuthorized } from '../../policy/issuance/valid-authorizations.ts';
import { describeError } from '../../ports/errors.ts';
import type { IssuePorts, OrderingPorts, PreflightPorts } from '../invocation.ts';
import type { PlannedCertificate } from './gather.ts';

/** Certificates checked at once. */
const concurrency = 16;

/** How the preflight of a pass behaves. */
export interface PreflightOptions {
  /** Makes no ACME account: CAA that names one is judged only if ours is known. */
  readonly dryRun: boolean;
  /** A person forces the order: every problem is a warning and does not stop it. */
  readonly force: boolean;
  /** Ends the checks. What is not known by then becomes a warning. */
  readonly signal: AbortSignal;
}

type PreflightingPorts = IssuePorts & OrderingPorts & { readonly preflight: PreflightPorts };

/** Checks DNS for each due certificate. One with a blocking problem waits (`PreflightFailed`), for other
 *  problems it gets warnings, and its plan names the hosted zones. An order that resumes is not checked.
 *  Never rejects. */
export async function runPreflight(
  due: readonly PlannedCertificate[],
  options: PreflightOptions,
  ports: PreflightingPorts,
): Promise<readonly PlannedCertificate[]> {
  const subjects = new PromiseCache<CaaSubject>();
  const describeCa = (issuer: string) => subjects.get(issuer, () => describe(issuer, options, ports));
  return mapConcurrently(due, concurrency, async (planned) => {
    const plan = await preflightOne(planned, describeCa, options, ports);
    logProblems(plan, options, ports);
    return { ...planned, plan };
  });
}

async function preflightOne(
  { plan, ...candidate }: PlannedCertificate,
  describeCa: (issuer: string) => Promise<CaaSubject>,
  { force, signal }: PreflightOptions,
  { preflight, clock }: PreflightingPorts,
): Promise<PlanEntry> {
  const { spec, entry, situation } = candidate;
  if (!spec || resumes(situation.pending, entry?.state)) return plan;
  const { domains } = spec;
  const { issuer, profile } = situation.desired;
  try {
    const subject = await describeCa(issuer);
    const isLasting = subject.methods?.includes('dns-persist-01') ?? false;
    // The CA asks for no proof, so only CAA matters.
    const order = { accountUrl: subject.accountUrl, profile, domains };
    const isAuthorized = areAuthorized(entry?.state.authorizations, order, clock.now());
    // Authorizations by dns-persist-01 are not among those: each order is proved by DNS.
    const about = isAuthorized ? 'caa' : isLasting ? 'lasting' : 'all';
    const gather = async (kind: typeof about) => {
      const { names, ...facts } = await preflight.gather(domains, kind, signal);
      return { names, problems: judgePreflight({ names, ...facts }, subject, clock.now()) };
    };
    const first = await gather(about);
    // Only the order shows whether the CA offers dns-persist-01; if not, it is proved by dns-01.
    const mayFallBack = about === 'lasting' && (subject.methods?.includes('dns-01') ?? false);
    const isBlocked = first.problems.some(({ blocks }) => blocks);
    const second = mayFallBack && isBlocked ? await gather('all') : undefined;
    const names = [...first.names, ...(second?.names ?? [])];
    const zones = names.flatMap(({ zone }) => (zone.kind === 'found' ? [zone.name] : []));
    const problems = second ? allowFallback(first.problems, second.problems) : first.problems;
    return heedProblems({ ...plan, zones: [...new Set(zones)] }, problems, force);
  } catch (error) {
    const why = signal.aborted ? 'it took too long' : describeError(error);
    return { ...plan, warnings: [`DNS was not checked before the order: ${why}`] };
  }
}

/** What the CA says of CAA. If the CA does not answer: nothing, because the order itself reports what is
 *  wrong with it. */
async function describe(
  issuer: string,
  { dryRun, signal }: PreflightOptions,
  { connect, preflight, log }: PreflightingPorts,
): Promise<CaaSubject> {
  try {
    if (!dryRun) await connect(issuer, signal);
    return await preflight.describe(issuer, signal);
  } catch (error) {
    log.warn('CA not asked before the order', { issuer, problem: describeError(error) });
    return { identities: [] };
  }
}

/** An order that waits is an error: it waits until a person changes the record. */
function logProblems(
  { name, decision, reason, message, warnings = [] }: PlanEntry,
  { dryRun }: PreflightOptions,
  { log }: PreflightingPorts,
): void {
  if (decision === 'wait' && !dryRun)
    log.error('preflight failed', { certificate: name, reason, problem: message });
  for (const problem of warnings) log.warn('preflight warned', { certificate: name, problem });
}
