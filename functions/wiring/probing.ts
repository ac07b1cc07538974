// Connects the probe: DNS for addresses, TLS for the certificates served there.

import { createFindAddresses } from '../../lib/adapters/dns/addresses.ts';
import { isPublicAddress } from '../../lib/adapters/dns/public-addresses.ts';
import { createShakeHands } from '../../lib/adapters/tls/handshake.ts';
import type { FindAddresses, IsPublicAddress, ShakeHands } from '../../lib/ports/probe.ts';
import type { Settings } from '../../lib/settings/functions.ts';

/** Longest time for one handshake. */
const timeoutMs = 5_000;

/** Ports of the probe, over the network. */
export function connectProbe({ resolvers }: Pick<Settings, 'resolvers'>): {
  readonly findAddresses: FindAddresses;
  readonly isPublicAddress: IsPublicAddress;
  readonly shakeHands: ShakeHands;
} {
  return {
    findAddresses: createFindAddresses({ resolvers }),
    isPublicAddress,
    shakeHands: createShakeHands({ timeoutMs }),
  };
}
