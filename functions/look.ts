// What functions look at served certificates with: DNS for their addresses, TLS for what is there.
import type { Settings } from '../lib/config.ts';
import { createFindAddresses } from '../lib/dns/addresses.ts';
import type { FindAddresses, IsPublicAddress, ShakeHands } from '../lib/probe-ports.ts';
import { isPublicAddress } from '../lib/public-addresses.ts';
import { createShakeHands } from '../lib/tls/handshake.ts';

/** How long one server may take for a handshake. */
const timeoutMs = 5_000;

/** The ports of looking, over the network. */
export function connectLook({ resolvers }: Pick<Settings, 'resolvers'>): {
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
