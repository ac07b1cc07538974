// The sandbox's CA against the contract, and what only the sandbox's can be told to do.
import { randomBytes } from 'node:crypto';
import { startDnsStub } from '../fakes/dns-server.ts';
import { startAuthority } from '../sandbox/acme/authority.ts';
import { Faults } from '../sandbox/faults.ts';
import { Journal } from '../sandbox/journal.ts';
import { describeAuthority } from './acme.ts';
import { describeBinding } from './acme-keys.ts';

describeAuthority(
  'sandbox',
  async () => {
    const dns = await startDnsStub();
    const authority = await startAuthority(
      { resolve: { servers: [dns.address] } },
      { journal: new Journal(), faults: new Faults() },
    );
    return {
      directory: authority.directory,
      caPem: authority.caPem,
      roots: authority.roots(),
      setTxt: dns.setTxt,
      stop: async () => {
        await authority.stop();
        await dns.stop();
      },
    };
  },
  { givesOpenOrderBack: true, reusesAuthorizations: true, explainsInvalidOrder: false },
);

describeBinding('sandbox', async () => {
  const account = { kid: 'account-1', hmacKey: randomBytes(32).toString('base64url') };
  const authority = await startAuthority(
    { resolve: { servers: [] }, externalAccountRequired: true },
    { journal: new Journal(), faults: new Faults() },
  );
  authority.settings.externalAccounts.set(account.kid, account.hmacKey);
  const { directory, caPem } = authority;
  return { directory, caPem, account, stop: () => authority.stop() };
});
