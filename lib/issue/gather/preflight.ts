// Looks at DNS before an order is spent: what would fail it makes it wait, what may fail it is a warning.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { Memory } from '../../async/memo.ts';
import { namesKey } from '../../certificate/names.ts';
import type { CaaSubject } from '../../policy/dns/caa.ts';
import { heedProblems, judgePreflight } from '../../policy/dns/preflight.ts';
import type { PlanEntry } from '../../policy/issuance/plan.ts';
import { resumes } from '../../policy/issuance/resume.ts';
import { describeError } from '../../ports/errors.ts';
import type { IssuePorts, OrderingPorts, PreflightPorts } from '../invocation.ts';
import type { Candidate, PlannedCertificate } from './gather.ts';

/** Certificates looked at side by side. */
const concurrency = 16;
/** As long as a valid authorization serves other orders at Let's Encrypt (profile classic, until 2027). */
const authorizationMs = 30 * 24 * 3_600_000;

export interface PreflightOptions {
  /** Makes no account: CAA that names one is judged only where ours is known. */
  readonly dryRun: boolean;
  /** A person asked for the order by name: what stands before it is told, and does not stop it. */
  readonly force: boolean;
  /** Ends the look; what is not known by then is a warning. */
  readonly signal: AbortSignal;
}

type PreflightingPorts = IssuePorts & OrderingPorts & { readonly preflight: PreflightPorts };

/** The certificates, each with what was found. Never rejects. */
export async function runPreflight(
  due: readonly PlannedCertificate[],
  options: PreflightOptions,
  ports: PreflightingPorts,
): Promise<readonly PlannedCertificate[]> {
  const subjects = new Memory<CaaSubject>();
  const describeCa = (issuer: string) => subjects.recall(issuer, () => describe(issuer, options, ports));
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
  const { issuer } = situation.desired;
  try {
    const subject = await describeCa(issuer);
    // A lasting record may be there already, wherever DNS leads by now; where it is not, writing it tells.
    const isLasting = subject.methods?.includes('dns-persist-01') ?? false;
    const about = isLasting || mayBeProved(candidate, domains, clock.now()) ? 'caa' : 'all';
    const facts = await preflight.gather(domains, about, signal);
    const zones = facts.names.flatMap(({ zone }) => (zone.kind === 'found' ? [zone.name] : []));
    return heedProblems({ ...plan, zones: [...new Set(zones)] }, judgePreflight(facts, subject), force);
  } catch (error) {
    const why = signal.aborted ? 'it took too long' : describeError(error);
    return { ...plan, warnings: [`DNS was not looked at before the order: ${why}`] };
  }
}

/** Whether the CA may still hold valid authorizations for all of the names: it then asks for no proof, and it is of no
 *  consequence where DNS leads. CAA is read for every certificate. */
function mayBeProved({ situation }: Candidate, domains: readonly string[], now: Date): boolean {
  const { actual, desired } = situation;
  if (actual.kind !== 'certificate' || actual.issuer !== desired.directory) return false;
  return actual.names === namesKey(domains) && now.getTime() - actual.notBefore.getTime() < authorizationMs;
}

/** Where the CA cannot be asked, CAA is judged as far as that goes; the order itself then tells what is wrong with the CA. */
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

/** An order that preflight stops is an error: nothing goes on before a person changes the record. */
function logProblems(
  { name, decision, reason, message, warnings = [] }: PlanEntry,
  { dryRun }: PreflightOptions,
  { log }: PreflightingPorts,
): void {
  if (decision === 'wait' && !dryRun)
    log.error('preflight failed', { certificate: name, reason, problem: message });
  for (const problem of warnings) log.warn('preflight warned', { certificate: name, problem });
}
