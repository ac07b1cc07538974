// The section `discovery` of an inventory, for tests that care for a part of it at most.
import type { DiscoverySpec } from '../../lib/certificate/spec.ts';

/** Namespace `shop` of cluster `lab` may ask for names of example.com; nothing is retired. */
export function discoveryOf(more: Partial<DiscoverySpec> = {}): DiscoverySpec {
  return {
    places: [{ cluster: 'lab', namespace: 'shop' }],
    zones: ['example.com'],
    annotation: 'certrelay.dev/tls',
    hints: false,
    issuer: 'default',
    key: 'ecdsa-p256',
    adopt: false,
    retire: false,
    ...more,
  };
}
