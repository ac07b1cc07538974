// Connects `deploy`: the store, clusters, ACM, the probe and the event bus.
import type { DeployPorts } from '../../lib/deploy/invocation.ts';
import type { OperationStore } from '../../lib/ports/operations.ts';
import { createProbeServed } from '../../lib/probe/probe-served.ts';
import type { Closing } from '../runtime/define-function.ts';
import type { Invocation } from '../runtime/invocation.ts';
import { connectClusters } from './clusters.ts';
import { connectEvents } from './event-bus.ts';
import { connectProbe } from './probing.ts';
import { openSecrets } from './secrets.ts';

/** Ports of `deploy`. Clients of clusters, ACM and the event bus are loaded with the first target that needs
 *  them. */
export function connectDelivery(
  invocation: Invocation,
  closing: Closing,
): DeployPorts & { readonly operations: OperationStore } {
  const { settings, clock, log } = invocation;
  const { certificates: store, installation, operations, readText } = openSecrets(invocation, closing);
  const { prefix } = settings;
  return {
    store,
    installation,
    operations,
    readText,
    connect: connectClusters(invocation, { readText }),
    async connectAcm(region) {
      const { connectCertificateManager } = await import('../../lib/adapters/acm/connection.ts');
      return connectCertificateManager({ region, prefix });
    },
    probeServed: createProbeServed(connectProbe(settings)),
    putEvents: connectEvents(settings, closing),
    clock,
    log,
  };
}
