// Pebble as the sandbox's CA, with a front in front of it that writes down every request.
import { readFile, writeFile } from 'node:fs/promises';
import { Agent, request as send } from 'node:https';
import { join } from 'node:path';
import { startPebble } from '../real/parts/pebble.ts';
import { freePort } from '../real/parts/process.ts';
import { Faults } from '../sandbox/faults.ts';
import { type Answer, type Part, type Request, serve } from '../sandbox/http-server.ts';
import { Journal } from '../sandbox/journal.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import { mintServingCertificate } from '../sandbox/tls.ts';
import type { SeenAuthority } from './issuance.ts';
import { startQuietSandbox } from './quiet-sandbox.ts';

/** A sandbox whose certificates come from Pebble. `folder` gets the front's CA file. */
export async function startPebbleSandbox(folder: string): Promise<{
  readonly sandbox: Sandbox;
  readonly authority: SeenAuthority;
  readonly stopAll: () => Promise<void>;
}> {
  const dnsPort = await freePort();
  const pebble = await startPebble({ dnsServer: `127.0.0.1:${dnsPort}` });
  const tls = await mintServingCertificate('Pebble');
  const caFile = join(folder, 'pebble-front.pem');
  await writeFile(caFile, tls.ca);
  const journal = new Journal();
  const agent = new Agent({ keepAlive: true, ca: await readFile(pebble.caFile) });
  const behind = new URL(pebble.directory);
  const front = await serve(describeFront(behind, agent), { journal, faults: new Faults() }, tls);
  const directory = `${front.url}${behind.pathname}`;
  const sandbox = await startQuietSandbox({ dnsPort, realAuthority: { directory, caFile } });
  return {
    sandbox,
    authority: { requests: () => journal.calls, connections: () => front.connections() },
    stopAll: async () => {
      await sandbox.stop();
      await front.stop();
      agent.destroy();
      await pebble.stop();
    },
  };
}

function describeFront(behind: URL, agent: Agent): Part {
  return {
    service: 'acme',
    describe: ({ method, url }) => ({ action: method, resource: url.pathname, principal: 'unknown' }),
    handle: (request) => forward(request, behind, agent),
    refuse: (code, status) => ({ status, body: code }),
  };
}

function forward({ method, url, headers, body }: Request, behind: URL, agent: Agent): Promise<Answer> {
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  // Pebble makes its URLs of the host it is asked for, and checks that they are what was signed (RFC 8555
  // §6.4).
  const host = String(headers[':authority'] ?? headers.host);
  const passed = Object.fromEntries(
    ['content-type', 'user-agent'].flatMap((name) => (headers[name] ? [[name, headers[name]]] : [])),
  );
  const options = { agent, method, headers: { ...passed, host, 'content-length': body.length } };
  send(new URL(url.pathname, behind), options, (response) => {
    response.toArray().then((chunks: Buffer[]) => {
      const { 'replay-nonce': nonce, location, link } = response.headers;
      const kept = {
        'content-type': response.headers['content-type'],
        'replay-nonce': nonce,
        location,
        link,
      };
      const known = Object.entries({ ...kept, 'retry-after': response.headers['retry-after'] });
      resolve({
        status: response.statusCode ?? 502,
        headers: Object.fromEntries(
          known.flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
        ),
        body: Buffer.concat(chunks),
      });
    }, reject);
  })
    .on('error', reject)
    .end(body);
  return promise;
}
