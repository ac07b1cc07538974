// What functions look at served certificates with: DNS for their addresses, TLS for what is there.

import { createFindAddresses } from '../../lib/adapters/dns/addresses.ts';
import { isPublicAddress } from '../../lib/adapters/dns/public-addresses.ts';
import { createShakeHands } from '../../lib/adapters/tls/handshake.ts';
import type { FindAddresses, IsPublicAddress, ShakeHands } from '../../lib/ports/probe.ts';
import type { Settings } from '../../lib/settings/functions.ts';

/** How long one server may take for a handshake. */
const timeoutMs = 5_000;

/** The ports of looking, over the network. */
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
