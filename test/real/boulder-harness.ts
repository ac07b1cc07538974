// A Boulder for one suite, and the sandbox that works with it.
import { describe } from 'vitest';
import type { SandboxOptions } from '../sandbox/sandbox.ts';
import {
  type BoulderOptions,
  boulderLacks,
  type OwnBoulder,
  type Servers,
  startBoulder,
} from './parts/own-boulder.ts';
import { freePort } from './parts/process.ts';
import { SandboxHarness } from './sandbox-harness.ts';

export interface BoulderHarness {
  readonly boulder: OwnBoulder;
  readonly harness: SandboxHarness;
  readonly stop: () => Promise<void>;
}

/** A suite that is skipped where no Boulder can be started, with what it lacks in its title. */
export function describeWithBoulder(what: string, tests: () => void): void {
  const title = boulderLacks === undefined ? what : `${what}: ${boulderLacks}`;
  describe.skipIf(boulderLacks !== undefined)(title, tests);
}

/** Starts both; Boulder asks the sandbox's DNS about all names that `dns` does not send elsewhere. */
export async function startBoulderHarness(
  { dns = {}, ...options }: Omit<BoulderOptions, 'dns'> & { readonly dns?: Servers },
  sandbox: SandboxOptions = {},
): Promise<BoulderHarness> {
  const dnsPort = await freePort();
  const boulder = await startBoulder({ ...options, dns: { ...dns, '': `127.0.0.1:${dnsPort}` } });
  try {
    const harness = await SandboxHarness.start({ ...sandbox, realAuthority: boulder, dnsPort });
    return {
      boulder,
      harness,
      stop: async () => {
        await harness.stop();
        await boulder.stop();
      },
    };
  } catch (error) {
    await boulder.stop();
    throw error;
  }
}
