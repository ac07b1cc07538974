// A proxy of HTTPS before a real CA that bends its answers, as other CAs and proxies write theirs.

import { readFile } from 'node:fs/promises';
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { makeDirectory, removeDirectory } from './process.ts';
import { makeServingCertificate } from './serving-certificate.ts';

/** One answer of the CA. `body`: parsed, if it is a JSON object. */
export interface BendableAnswer {
  readonly method: string;
  /** Path of the request, without query. */
  readonly path: string;
  readonly status: number;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly body: unknown;
}

/** What becomes of an answer; `lost`: the connection breaks instead. */
export type Bend = (answer: BendableAnswer) => BendableAnswer | 'lost';

/** A running proxy. */
export interface BendingProxy {
  /** URL of the CA's directory through the proxy. */
  readonly directory: string;
  /** PEM file of the authority that its HTTPS certificate comes from. */
  readonly caFile: string;
  /** How answers are bent; changed at will. */
  bend: Bend;
  stop(): Promise<void>;
}

/** Starts a proxy on 127.0.0.1. The CA sees the proxy's address as its own (Host), so that what it signs and
 *  checks is the proxy's. */
export async function startBendingProxy(ca: {
  readonly directory: string;
  readonly caFile: string;
}): Promise<BendingProxy> {
  const files = await makeDirectory('bending-proxy');
  const { caFile, certificateFile, keyFile } = await makeServingCertificate(files);
  const [cert, key, trusted] = await Promise.all([certificateFile, keyFile, ca.caFile].map(readPem));
  const origin = new URL(ca.directory);

  async function serve(incoming: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = incoming;
    const sent = await readAll(incoming);
    const answered = await forward(new URL(url, origin), { method, headers, body: sent, trusted });
    const path = url.replace(/\?.*/, '');
    const bent = proxy.bend({ method, path, ...answered });
    if (bent === 'lost') return void response.destroy();
    const content = typeof bent.body === 'string' ? bent.body : JSON.stringify(bent.body);
    const { 'content-length': _, 'transfer-encoding': __, ...rest } = bent.headers;
    response.writeHead(bent.status, rest as Record<string, string>);
    response.end(method === 'HEAD' ? undefined : content);
  }

  const server = createServer({ cert, key }, (incoming, response) => {
    serve(incoming, response).catch(() => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  const proxy: BendingProxy = {
    directory: `https://127.0.0.1:${port}${origin.pathname}`,
    caFile: join(caFile),
    bend: (answer) => answer,
    async stop() {
      await new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      });
      await removeDirectory(files);
    },
  };
  return proxy;
}

function readPem(file: string): Promise<string> {
  return readFile(file, 'utf8');
}

interface Forwarded {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trusted: string | undefined;
}

function forward(
  url: URL,
  { method, headers, body, trusted }: Forwarded,
): Promise<Pick<BendableAnswer, 'status' | 'headers' | 'body'>> {
  return new Promise((resolve, reject) => {
    const outgoing = request(url, { method, headers, ca: trusted }, (answered) => {
      const kept = Object.entries(answered.headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, value] as const],
      );
      readAll(answered).then(
        (text) =>
          resolve({
            status: answered.statusCode ?? 0,
            headers: Object.fromEntries(kept),
            body: text.startsWith('{') ? JSON.parse(text) : text,
          }),
        reject,
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function readAll(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}
