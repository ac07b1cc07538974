// Writes to tags which versions are frozen or resumed, before anything of them is delivered.
import { mapConcurrently } from '../../async/map-concurrently.ts';
import { toError } from '../../ports/errors.ts';
import type { DeployInvocation, DeployPorts } from '../invocation.ts';
import type { DeliverySelection } from '../plan/selected.ts';

/** AWS secrets written at once. */
const concurrency = 16;

/** Writes what the selections plan. A certificate whose tag cannot be written becomes `failed`: nothing of it
 *  is delivered. Never rejects. */
export async function recordFreezes(
  selections: readonly DeliverySelection[],
  { store, log }: Pick<DeployPorts, 'store' | 'log'>,
  { signal }: DeployInvocation,
): Promise<readonly DeliverySelection[]> {
  return mapConcurrently(selections, concurrency, async (selection): Promise<DeliverySelection> => {
    if (selection.kind !== 'selected') return selection;
    const { name, version, freezing } = selection;
    if (!freezing.change) return selection;
    try {
      await store.record(name, freezing.change, signal);
    } catch (cause) {
      return { kind: 'failed', name, error: toError(cause) };
    }
    const fields = { certificate: name, version, reason: freezing.reason };
    log.info(freezing.freeze ? 'delivery frozen' : 'delivery resumed', fields);
    return selection;
  });
}
