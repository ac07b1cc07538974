// Selects what one invocation delivers: loads and verifies certificates and makes a job for each target.
// Reads only.

import { mapConcurrently } from '../../async/map-concurrently.ts';
import { type Bundle, verifyBundle } from '../../certificate/bundle.ts';
import type { TargetSpec } from '../../certificate/spec.ts';
import type { StoredCertificate } from '../../certificate/stored.ts';
import { findArn } from '../../policy/delivery/acm.ts';
import { retryOf } from '../../policy/delivery/progress.ts';
import type { KnownTargets } from '../../policy/delivery/pruning.ts';
import { describeDelivery, nameDestination } from '../../policy/delivery/secret-plan.ts';
import { judgeTargetStates } from '../../policy/delivery/target-states.ts';
import { probeSpecOf } from '../../policy/serving/served-targets.ts';
import { toError } from '../../ports/errors.ts';
import type { StoreEntry } from '../../ports/store.ts';
import { RequestError } from '../../requests/errors.ts';
import { createRefusal } from '../../requests/unknown.ts';
import type { AnyJob, DeployInvocation, DeployPorts, Job, SkipReason } from '../invocation.ts';
import { createJudgeSpec, type JudgeSpec } from './allowance.ts';
import { planFreeze } from './freeze-plan.ts';
import { selectLetGo, selectRestored } from './letting-go.ts';
import type { DeliverySelection } from './selected.ts';

/** AWS secrets read at once. */
const concurrency = 16;

/** The certificates that the request names, else all that are stored or in the inventory. If the request
 *  names targets or clusters, only certificates with such a target. A certificate that fails to load is
 *  `failed`; the others go on.
 *  @throws StoreError if the store cannot be listed. */
export async function selectForDelivery(
  ports: DeployPorts,
  invocation: DeployInvocation,
): Promise<readonly DeliverySelection[]> {
  const { inventory, signal, certificates } = invocation;
  const prunes = Object.values(inventory.clusters).some(({ prune }) => prune !== undefined);
  const isPartial = invocation.targets || invocation.clusters || (invocation.delegatedClusters && !prunes);
  const judgeSpec = createJudgeSpec(ports, invocation);
  const refuse = createRefusal({ inventory, store: ports.store, signal });
  const select = async (
    name: string,
    reading: Promise<StoreEntry | undefined>,
  ): Promise<DeliverySelection> => {
    let entry: StoreEntry | undefined;
    try {
      entry = await reading;
      return await selectCertificate(name, entry, { ...ports, judgeSpec, refuse }, invocation);
    } catch (cause) {
      return { kind: 'failed', name, error: toError(cause), entry };
    }
  };
  if (certificates) {
    return mapConcurrently([...new Set(certificates)], concurrency, (name) =>
      select(name, ports.store.describe(name, signal)),
    );
  }
  const entries = new Map((await ports.store.list(signal)).map((entry) => [entry.name, entry]));
  const known = new Map(inventory.certificates.map((spec) => [spec.name, spec]));
  const names = [...new Set([...known.keys(), ...entries.keys()])].toSorted();
  // The targets of a certificate that is not in the inventory are in its stored value.
  const candidates = names.filter(
    (name) =>
      !isPartial ||
      (known.get(name)?.targets.some((target) => isRequested(target, name, invocation)) ?? true),
  );
  const selections = await mapConcurrently(candidates, concurrency, (name) =>
    select(name, Promise.resolve(entries.get(name))),
  );
  if (!isPartial) return selections;
  const isNamed = invocation.targets !== undefined || invocation.clusters !== undefined;
  return selections.filter((selection) => {
    if (selection.kind === 'selected') return selection.requested.length > 0;
    // Of one that is only stored, and goes nowhere or is not issued, nobody asked for a target.
    return selection.kind !== 'skipped' || !isNamed || known.has(selection.name);
  });
}

async function selectCertificate(
  name: string,
  entry: StoreEntry | undefined,
  ports: DeployPorts & { readonly judgeSpec: JudgeSpec; readonly refuse: ReturnType<typeof createRefusal> },
  invocation: DeployInvocation,
): Promise<DeliverySelection> {
  const { inventory, signal } = invocation;
  const skip = (
    message: string,
    more: { readonly known?: KnownTargets; readonly reason?: SkipReason },
  ): DeliverySelection => ({
    kind: 'skipped',
    name,
    message,
    ...(entry?.state.deliveryProblem ? { entry } : {}),
    ...more,
  });
  const notIssued = () => skip('it has not been issued yet', { reason: 'NotIssued' });
  const versions = [entry?.current, entry?.previous].filter((version) => version !== undefined);
  const nowhere = { known: { targets: [], versions } };
  const spec = inventory.certificates.find((certificate) => certificate.name === name);
  if (!entry && !spec) throw await ports.refuse(name);
  if (spec?.targets.length === 0) return skip('it has no targets', nowhere);
  if (!entry) return notIssued();
  const restored = selectRestored(entry, entry.current);
  if (restored) return restored;
  const stored = await ports.store.read(name, 'AWSCURRENT', signal);
  switch (stored?.value.kind) {
    case undefined:
    case 'specification':
    case 'pending':
      return notIssued();
    case 'unparsable':
      throw new RequestError('Unreadable', `its AWS secret cannot be read: ${stored.value.problem}`);
    case 'certificate': {
      const { certificate } = stored.value;
      const { version } = stored;
      const idle =
        selectRestored(entry, version) ??
        (await selectLetGo(entry, { version, certificate }, ports, invocation));
      if (idle) return idle;
      const targets = spec?.targets ?? certificate.spec?.targets;
      if (!targets)
        return skip('it is neither in the inventory nor registered', { ...nowhere, reason: 'Unused' });
      if (targets.length === 0) return skip('it has no targets', nowhere);
      const { bundle, begins } = verifyForDelivery(certificate, ports.clock.now());
      const delivery = describeDelivery(name, stored, bundle);
      const facts = { ...bundle.facts, names: bundle.names };
      const own = spec ? undefined : certificate.spec;
      const misfits = own && (await ports.judgeSpec(own, entry, facts));
      const freezing = await planFreeze({ delivery, facts }, entry, ports, invocation);
      const { freeze } = freezing;
      const common = {
        delivery,
        facts,
        probe: probeSpecOf({ probe: spec?.probe, targets }),
        freeze,
        begins,
      };
      const recorded = entry.state.deployed;
      const subject = {
        name,
        version: stored.version,
        state: entry.state,
        freeze: freeze ?? ('none' as const),
      };
      const states = judgeTargetStates(subject, targets, inventory);
      const jobs = targets.map((target, index) =>
        describeJob(target, { ...common, phase: states[index]?.phase ?? 'none' }, entry.state.acm),
      );
      return {
        kind: 'selected',
        name,
        version: stored.version,
        arn: entry.arn,
        jobs,
        requested: jobs.filter(({ target }) => isRequested(target, name, invocation)),
        recorded,
        deliveredTo: entry.state.deliveredTo,
        problem: entry.state.deliveryProblem,
        freezing,
        imported: entry.state.acm,
        known: { targets, versions },
        retry: retryOf(recorded, stored.version, targets),
        owedEvents: entry.state.owedEvents,
        seen: entry.state,
        misfits,
      };
    }
  }
}

/** The verified certificate. `begins`: when it becomes valid; absent if it is valid now. Does not compare its
 *  names with the inventory: until a certificate for changed names is issued, the one for the old names is
 *  the best available.
 *  @throws RequestError if a server could not use the certificate. */
function verifyForDelivery(
  certificate: StoredCertificate,
  now: Date,
): { readonly bundle: Bundle; readonly begins?: Date | undefined } {
  const validNow = verifyBundle(certificate, now);
  const begins = validNow.ok ? undefined : validNow.validFrom;
  const verified = begins ? verifyBundle(certificate, begins) : validNow;
  if (verified.ok) return { bundle: verified.bundle, begins };
  throw new RequestError('Unusable', `it is not delivered (${verified.problem}): ${verified.message}`);
}

function describeJob(
  target: TargetSpec,
  rest: Omit<Job, 'target'>,
  imported: readonly string[] | undefined,
): AnyJob {
  if (!('acm' in target)) return { ...rest, target };
  return { ...rest, target, arn: findArn(imported, target.acm.region) };
}

function isRequested(
  target: TargetSpec,
  name: string,
  { targets, clusters, delegatedClusters }: DeployInvocation,
): boolean {
  const cluster = 'acm' in target ? undefined : target.cluster;
  const isIn = (names: readonly string[]) => cluster !== undefined && names.includes(cluster);
  return (
    (targets?.includes(nameDestination(target, name)) ?? true) &&
    (clusters === undefined || isIn(clusters)) &&
    (delegatedClusters === undefined || !isIn(delegatedClusters))
  );
}
