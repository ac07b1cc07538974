// Notes why a certificate is delivered to none of its targets.
import { recordTrouble } from '../../policy/health/trouble.ts';
import { codeOf, describeError } from '../../ports/errors.ts';
import { StoreError } from '../../ports/store.ts';
import type { Trouble } from '../../state/health.ts';
import type { DeployInvocation, DeployPorts } from '../invocation.ts';
import type { DeliverySelection } from '../plan/selected.ts';

/** A certificate without a result. */
type UndeliveredSelection = Exclude<DeliverySelection, { kind: 'selected' }>;

/** Writes why a certificate could not be loaded, and takes away the trouble of one that has no targets any
 *  more, unless the tags say so already. @throws StoreError if the tags cannot be written. */
export async function recordLeftOut(
  selection: UndeliveredSelection,
  { store, clock }: Pick<DeployPorts, 'store' | 'clock'>,
  { cleanUpSignal }: DeployInvocation,
): Promise<void> {
  const before = selection.entry?.state.deliveryProblem;
  const deliveryProblem = findProblem(selection, before, clock.now());
  if (!selection.entry || deliveryProblem === before) return;
  await store.record(selection.name, { deliveryProblem: deliveryProblem ?? null }, cleanUpSignal);
}

function findProblem(
  selection: UndeliveredSelection,
  before: Trouble | undefined,
  now: Date,
): Trouble | undefined {
  if (selection.kind === 'skipped') return selection.known?.targets.length === 0 ? undefined : before;
  const { error } = selection;
  const isAboutAws = error instanceof StoreError && (error.code === 'Denied' || error.code === 'Throttled');
  const cause = isAboutAws ? 'function/deploy' : undefined;
  return recordTrouble({ code: codeOf(error), cause, words: describeError(error) }, before, now);
}
