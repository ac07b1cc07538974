// Judges whether today's inventory allows a registered or discovered certificate, and how long it is kept.
import { keepFailures, once } from '../../async/promise-cache.ts';
import type { Inventory } from '../../certificate/spec.ts';
import type { StoredSpec } from '../../certificate/stored.ts';
import type { CertificateFacts } from '../../certificate/x509.ts';
import { nameDestination } from '../../policy/delivery/secret-plan.ts';
import { createFit } from '../../policy/registration/fit.ts';
import {
  believeGrace,
  explainGrace,
  explainRefusal,
  type Installation,
  isGraceOpen,
  isTolerated,
  type Misfits,
  notAllowed,
} from '../../policy/registration/grace.ts';
import { CertrelayError, PartError } from '../../ports/errors.ts';
import { type StoreEntry, StoreError } from '../../ports/store.ts';
import type { AnyJob, DeployInvocation, DeployPorts, JobResult } from '../invocation.ts';
import type { CertificateToDeliver, DeliverySelection } from './selected.ts';

/** What today's inventory does not allow of a stored specification, with the end of its grace period.
 *  `undefined` if everything is allowed.
 *  @throws StoreError if the grace period cannot be read. */
export type JudgeSpec = (
  spec: StoredSpec,
  entry: StoreEntry,
  facts: Pick<CertificateFacts, 'notBefore' | 'notAfter'>,
) => Promise<Misfits | undefined>;

/** A judge for one invocation. It reads the record of the installation once, and only if some specification
 *  is not allowed. */
export function createJudgeSpec(ports: DeployPorts, { inventory, signal }: DeployInvocation): JudgeSpec {
  const fit = createFit(inventory);
  const reading = once(() => readInstallation(ports, signal), keepFailures);
  return async (spec, { name, state }, facts) => {
    // An agent trusts what issue has signed for it. Its own inventory may lack the section for such
    // certificates.
    if (ports.judgeRollback && !hasSection(spec, inventory)) return undefined;
    const found = fit.ofSpec(spec);
    if (found.length === 0) return undefined;
    const installation = await reading();
    // Without the record, the date that issue wrote on the tags counts.
    if (installation === 'none') return { found, grace: state.graceUntil };
    const isOpen = state.graceUntil === undefined && isGraceOpen(installation);
    if (isOpen) return { found, grace: 'open' };
    // ListSecrets lags: a grace period granted a moment ago may be missing from the entry.
    const until = state.graceUntil ?? (await ports.store.describe(name, signal))?.state.graceUntil;
    return { found, grace: believeGrace(until, facts, installation) };
  };
}

function hasSection({ source }: StoredSpec, { registration, discovery }: Inventory): boolean {
  return (source === 'registration' ? registration : discovery) !== undefined;
}

/** The record of the installation. `unknown` if the role may not read it, like the role of an older agent:
 *  the agent then delivers what was signed for it. */
async function readInstallation(
  { installation, log }: DeployPorts,
  signal: AbortSignal,
): Promise<Installation | 'none'> {
  if (!installation) return 'none';
  try {
    return await installation.read(signal);
  } catch (error) {
    if (!(error instanceof StoreError && error.code === 'Denied')) throw error;
    log.warn('installation not read', { problem: error.message });
    return 'unknown';
  }
}

/** Whether a certificate must not be delivered: the inventory does not
 *  allow it and its grace period is over. */
export function isRefused({ misfits }: CertificateToDeliver, { clock }: Pick<DeployPorts, 'clock'>): boolean {
  return misfits !== undefined && !isTolerated(misfits, clock.now());
}

/** A `refused` result for each job of each certificate that must not be delivered. Its targets stay
 *  unchanged. Logs a warning for each certificate that is not allowed and still in its grace period. */
export function refuseMisfits(
  selections: readonly DeliverySelection[],
  ports: Pick<DeployPorts, 'clock' | 'log'>,
): ReadonlyMap<AnyJob, JobResult> {
  const selected = selections.filter((selection) => selection.kind === 'selected');
  for (const { name, misfits } of selected) {
    if (!misfits || !isTolerated(misfits, ports.clock.now())) continue;
    ports.log.warn('certificate kept in grace', { certificate: name, problem: explainGrace(misfits) });
  }
  return new Map(
    selected
      .filter((selection) => isRefused(selection, ports))
      .flatMap(({ requested, misfits }) =>
        requested.map((job, index) => [job, describeRefusal(job, misfits, index === 0)] as const),
      ),
  );
}

/** @param isFirst Adds the error. The certificate has one error for all its targets. */
function describeRefusal(
  { delivery: { certificate }, target, phase }: AnyJob,
  misfits: Misfits = { found: [] },
  isFirst: boolean,
): JobResult {
  const message = `not delivered; the target stays as it is: ${explainRefusal(misfits)}`;
  const name = nameDestination(target, certificate);
  return {
    phase,
    isUntried: true,
    failures: isFirst ? [new PartError(certificate, new CertrelayError(notAllowed, message))] : [],
    report: { certificate, target: name, outcome: 'refused', action: 'refuse', restarted: [], message },
  };
}
