// Pebble and, where one runs, Boulder against the same contract as the sandbox's CA.
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { test } from 'vitest';
import { describeAuthority } from '../contracts/acme.ts';
import { describeBinding } from '../contracts/acme-keys.ts';
import { startDnsStub } from '../fakes/dns-server.ts';
import { locateBoulder } from './parts/boulder.ts';
import { locate } from './parts/locate.ts';
import { startPebble } from './parts/pebble.ts';

if (locate('pebble')) {
  describeAuthority(
    'Pebble',
    async () => {
      const dns = await startDnsStub();
      const pebble = await startPebble({
        dnsServer: dns.address,
        strict: true,
        environment: { PEBBLE_ALTERNATE_ROOTS: '1', PEBBLE_CHAIN_LENGTH: '2' },
      });
      return {
        directory: pebble.directory,
        caPem: await readFile(pebble.caFile, 'utf8'),
        roots: (await pebble.roots()).join('\n'),
        setTxt: dns.setTxt,
        stop: async () => {
          await pebble.stop();
          await dns.stop();
        },
      };
    },
    { givesOpenOrderBack: false, reusesAuthorizations: false, explainsInvalidOrder: true },
  );
  describeBinding('Pebble', async () => {
    const account = { kid: 'account-1', hmacKey: randomBytes(32).toString('base64url') };
    const pebble = await startPebble({
      dnsServer: '127.0.0.1:1',
      config: {
        externalAccountBindingRequired: true,
        externalAccountMACKeys: { [account.kid]: account.hmacKey },
      },
    });
    const caPem = await readFile(pebble.caFile, 'utf8');
    return { directory: pebble.directory, caPem, account, stop: () => pebble.stop() };
  });
} else {
  test.todo('Pebble: run test/real/install pebble');
}

// Boulder runs outside the project, with a zone server whose control API is pebble-challtestsrv's.
const boulder = locateBoulder();
const { BOULDER_ROOTS: roots, BOULDER_ZONE_CONTROL: control } = process.env;

if (boulder && roots && control) {
  describeAuthority(
    'Boulder',
    async () => ({
      directory: boulder.directory,
      caPem: await readFile(boulder.caFile, 'utf8'),
      roots: (await Promise.all(roots.split(':').map((file) => readFile(file, 'utf8')))).join('\n'),
      setTxt: async (name, values) => {
        await tell(control, 'clear-txt', { host: `${name}.` });
        for (const value of values) await tell(control, 'set-txt', { host: `${name}.`, value });
      },
      stop: () => Promise.resolve(),
    }),
    { givesOpenOrderBack: true, reusesAuthorizations: true, explainsInvalidOrder: false },
  );
} else {
  test.todo('Boulder: set BOULDER_DIRECTORY, BOULDER_DIRECTORY_CA, BOULDER_ROOTS and BOULDER_ZONE_CONTROL');
}

async function tell(control: string, action: string, body: object): Promise<void> {
  const answer = await fetch(`${control}/${action}`, { method: 'POST', body: JSON.stringify(body) });
  if (!answer.ok) throw new Error(`the zone server answered ${answer.status}`);
}
