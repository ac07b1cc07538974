// Measures a look at what is served at very many addresses, of which some are dead.
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { mintChain } from '../minting/certificates.ts';
import type { Figure } from './figure.ts';
import { measureIssuance } from './issuance.ts';
import { invoke, startQuietSandbox } from './quiet-sandbox.ts';

const addresses = 1_000;
/** One of so many takes connections and says nothing, which costs whoever asks the whole timeout. */
const deadEvery = 20;
/** That of functions/probe.ts. */
const timeoutMs = 5_000;

/** 1,000 addresses of one certificate, 5 % of them dead. */
export async function benchServed(): Promise<readonly Figure[]> {
  const sandbox = await startQuietSandbox();
  const sockets = new Set<Socket>();
  const servers: Server[] = [];
  try {
    await measureIssuance(sandbox, 1, 'served');
    const secureContext = await mintContext();
    for (let index = 0; index < addresses; index += 1) {
      const isDead = index % deadEvery === 0;
      const server = createServer((socket) => {
        sockets.add(socket);
        socket.on('error', () => undefined);
        if (isDead) return;
        new TLSSocket(socket, { isServer: true, secureContext }).on('error', () => undefined);
      });
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
      servers.push(server);
    }
    const places = servers.map((server) => `127.0.0.1:${portOf(server)}`);
    const certificate = { name: 'served-0', domains: ['served-0.example.com'], probe: { addresses: places } };
    await sandbox.setCertificates([certificate]);
    const { ms, answer, calls } = await invoke(sandbox, 'probe');
    const words: readonly string[] = Object(answer).certificates[0].addresses.map(
      ({ served }: { readonly served: string }) => served,
    );
    const count = (word: string) => words.filter((one) => one === word).length;
    const what = `a look at ${addresses} addresses, ${addresses / deadEvery} of them dead`;
    return [
      {
        what: `${what}: dead ones found`,
        unit: 'count',
        target: { exactly: addresses / deadEvery },
        measured: count('unreachable'),
      },
      {
        what: '  others found',
        unit: 'count',
        target: { exactly: addresses - addresses / deadEvery },
        measured: count('mismatch'),
      },
      {
        what: '  calls to AWS',
        unit: 'count',
        target: 3,
        measured: calls.filter(({ service }) => service === 'secretsmanager').length,
        note: 'the list, the result, and the end of the pass',
      },
      {
        what: '  time, in timeouts of 5 s',
        unit: 'times',
        target: 2,
        measured: ms / timeoutMs,
        note: 'cold process',
      },
    ];
  } finally {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
    await sandbox.stop();
  }
}

async function mintContext() {
  const now = Date.now();
  const { chain, key } = await mintChain({
    domains: ['other.example.com'],
    notBefore: new Date(now - 1_000),
    notAfter: new Date(now + 86_400_000),
  });
  return createSecureContext({ cert: chain, key });
}

function portOf(server: Server): number {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listener without a port');
  return address.port;
}
