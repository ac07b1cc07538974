// An API server that answers whatever a test writes, be it no answer of Kubernetes at all.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createSecureServer } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { mintServingCertificate, type ServingCertificate } from '../sandbox/tls.ts';

/** Answers one request. */
export type Script = (url: URL, response: ServerResponse, request: IncomingMessage) => void;

/** The text of a kubeconfig for it. It ends with the test.
 *  @param served Its certificate. Default: a new one for 127.0.0.1. */
export async function startScripted(script: Script, served?: ServingCertificate): Promise<string> {
  const tls = served ?? (await mintServingCertificate('scripted'));
  const settings = { cert: tls.cert, key: tls.key, allowHTTP1: true, maxSessionMemory: 1000 };
  const server = createSecureServer(settings, (request, response) => {
    response.stream?.on('error', () => undefined);
    // The two kinds of request and response are alike in all that a script uses.
    const [asked, answer] = [request, response] as unknown as [IncomingMessage, ServerResponse];
    script(new URL(asked.url ?? '/', 'https://scripted'), answer, asked);
  });
  const sockets = new Set<{ destroy(): void }>();
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => socket.destroy());
  });
  server.on('sessionError', () => undefined);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    return new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const { port } = server.address() as AddressInfo;
  return JSON.stringify({
    'current-context': 'here',
    contexts: [{ name: 'here', context: { cluster: 'c', user: 'u' } }],
    clusters: [
      {
        name: 'c',
        cluster: {
          server: `https://127.0.0.1:${port}`,
          'certificate-authority-data': Buffer.from(tls.ca).toString('base64'),
        },
      },
    ],
    users: [{ name: 'u', user: { token: 'token' } }],
  });
}

/** Answers with JSON. */
export function answerJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}

/** Writes the text for as long as anybody reads. */
export function writeForEver(response: ServerResponse, text: string): void {
  const chunk = Buffer.from(text.repeat(Math.ceil(65_536 / text.length)));
  const write = () => {
    while (!response.destroyed && response.writable && response.write(chunk));
  };
  response.on('drain', write);
  write();
}
