// Whether today's inventory allows what is to be delivered of a source that is not the file, and until when it goes on if not.
import type { Inventory } from '../../certificate/spec.ts';
import type { StoredSpec } from '../../certificate/stored.ts';
import type { CertificateFacts } from '../../certificate/x509.ts';
import { nameDestination } from '../../policy/delivery/secret.ts';
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
import { CertrelayError } from '../../ports/errors.ts';
import { type StoreEntry, StoreError } from '../../ports/store.ts';
import type { AnyJob, DeployInvocation, DeployPorts, JobResult } from '../invocation.ts';
import type { CertificateToDeliver, DeliverySelection } from './selected.ts';

/** What does not fit of a stored specification, with its time of grace; `undefined` where all fits.
 *  @throws StoreError where nobody can tell whether it has one. */
export type JudgeSpec = (
  spec: StoredSpec,
  entry: StoreEntry,
  facts: Pick<CertificateFacts, 'notBefore' | 'notAfter'>,
) => Promise<Misfits | undefined>;

/** Judges all of one run. The record of the installation is read once, where something does not fit. */
export function createJudgeSpec(ports: DeployPorts, { inventory, signal }: DeployInvocation): JudgeSpec {
  const fit = createFit(inventory);
  let reading: Promise<Installation | 'none'> | undefined;
  return async (spec, { name, state }, facts) => {
    // An agent is told of such certificates by what issue has signed; its inventory may be the part that has no such section.
    if (ports.judgeReturn && !hasSection(spec, inventory)) return undefined;
    const found = fit.ofSpec(spec);
    if (found.length === 0) return undefined;
    reading ??= readInstallation(ports, signal);
    const installation = await reading;
    // Without a record to ask, what issue has noted holds.
    if (installation === 'none') return { found, grace: state.graceUntil };
    const isOpen = state.graceUntil === undefined && isGraceOpen(installation);
    if (isOpen) return { found, grace: 'open' };
    // Listing lags, and what has just been granted must not be refused.
    const until = state.graceUntil ?? (await ports.store.describe(name, signal))?.state.graceUntil;
    return { found, grace: believeGrace(until, facts, installation) };
  };
}

function hasSection({ source }: StoredSpec, { registration, discovery }: Inventory): boolean {
  return (source === 'registration' ? registration : discovery) !== undefined;
}

/** `unknown` where the role may not read it, as that of an agent of before: what was signed for it is delivered then. */
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

/** Whether a certificate is not delivered because the inventory does not allow it. */
export function isRefused({ misfits }: CertificateToDeliver, { clock }: Pick<DeployPorts, 'clock'>): boolean {
  return misfits !== undefined && !isTolerated(misfits, clock.now());
}

/** The targets of certificates that the inventory does not allow: nothing is done there, and nothing taken away. What is kept for
 *  a while is said in the log. */
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
      .filter((one) => isRefused(one, ports))
      .flatMap(({ asked, misfits }) =>
        asked.map((job, index) => [job, describeRefusal(job, misfits, index === 0)] as const),
      ),
  );
}

/** @param isFirst One error tells of all its targets. */
function describeRefusal(
  { delivery: { certificate }, target, step }: AnyJob,
  misfits: Misfits = { found: [] },
  isFirst: boolean,
): JobResult {
  const message = `not delivered, and left as it is: ${explainRefusal(misfits)}`;
  const name = nameDestination(target, certificate);
  return {
    step,
    failures: isFirst ? [new CertrelayError(notAllowed, `${certificate}: ${message}`)] : [],
    report: { certificate, target: name, outcome: 'refused', action: 'refuse', restarted: [], message },
  };
}
