// The adapter against a CA that answers as a script says, with accounts, clock and log of the test.
import {
  type Authorities,
  type AuthorityOptions,
  createAuthorities,
} from '../../lib/adapters/acme/accounts.ts';
import { MemoryAccounts } from '../fakes/accounts.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import type { ScriptedCa } from '../fakes/scripted-ca.ts';

/** The issuer `default` at the scripted CA; `options` are what a test has otherwise. */
export function openScripted(
  { directory, caPem }: Pick<ScriptedCa, 'directory' | 'caPem'>,
  options: Partial<AuthorityOptions> = {},
): Authorities {
  return createAuthorities({
    issuers: { default: { directory, caBundle: caPem, contact: [], agreeToTerms: true } },
    accounts: new MemoryAccounts(),
    clock: new FakeClock('2026-11-22T10:00:00Z'),
    log: new FakeLog(),
    readFile: async () => '',
    readText: async () => '',
    ...options,
  });
}
