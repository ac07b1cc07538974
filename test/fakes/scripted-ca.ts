// A CA of a few fixed answers over HTTP/1.1 alone, each of which a test may replace: for what no sound CA
// does.
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import * as z from 'zod';
import { mintServingCertificate } from '../sandbox/tls.ts';

export type Route = (response: ServerResponse, request: IncomingMessage) => void;

export interface ScriptedCa {
  readonly directory: string;
  readonly caPem: string;
  /** `https://host:port`. */
  readonly base: string;
  /** What is answered, by path without query; changed at will. */
  readonly routes: Map<string, Route>;
  /** Method, path with query and HTTP version of each request. */
  readonly requests: string[];
  /** What each signed request asks, parsed; `undefined` where it reads. */
  readonly payloads: unknown[];
  stop(): Promise<void>;
}

const signed = z.object({ protected: z.string(), payload: z.string() });
const header = z.object({ url: z.string() });

/** Starts one on a free port of `host`, an IP address. It has one account, and one order that is
 *  `pending`. */
export async function startScriptedCa(host = '127.0.0.1', name = 'Scripted ACME'): Promise<ScriptedCa> {
  const { cert, key, ca } = await mintServingCertificate(name);
  const routes = new Map<string, Route>();
  const requests: string[] = [];
  const payloads: unknown[] = [];
  let base = '';
  let nonces = 0;

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', httpVersion } = request;
    requests.push(`${method} ${url} HTTP/${httpVersion}`);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(Buffer.from(chunk));
    nonces += 1;
    response.setHeader('replay-nonce', `nonce-${nonces}`);
    if (method === 'POST') {
      const { signedUrl, payload } = takeApart(Buffer.concat(chunks));
      payloads.push(payload);
      if (signedUrl !== `${base}${url}`) {
        return answer(response, 400, {
          type: 'urn:ietf:params:acme:error:malformed',
          detail: `not for ${url}`,
        });
      }
    }
    const route = routes.get(url.replace(/\?.*/, ''));
    if (route) return route(response, request);
    answer(response, 404, { type: 'urn:ietf:params:acme:error:malformed', detail: 'no such resource' });
  }

  const server = createServer({ cert, key }, (request, response) => void serve(request, response));
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as AddressInfo;
  base = `https://${host.includes(':') ? `[${host}]` : host}:${port}`;
  routes.set('/directory', (response) => answer(response, 200, directoryAt(base)));
  routes.set('/nonce', (response) => response.end());
  routes.set('/account', (response) => answer(response, 201, {}, { location: `${base}/account/1` }));
  routes.set('/order', (response) => answer(response, 201, orderAt(base), { location: `${base}/order/1` }));
  routes.set('/order/1', (response) => answer(response, 200, orderAt(base)));
  return {
    directory: `${base}/directory`,
    caPem: ca,
    base,
    routes,
    requests,
    payloads,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** What its directory says. */
export function directoryAt(base: string): Readonly<Record<string, unknown>> {
  return { newNonce: `${base}/nonce`, newAccount: `${base}/account`, newOrder: `${base}/order` };
}

/** Its order. */
export function orderAt(base: string): Readonly<Record<string, unknown>> {
  return { status: 'pending', authorizations: [`${base}/authorization/1`], finalize: `${base}/finalize/1` };
}

/** Answers JSON, as problem document from 400 on. */
export function answer(
  response: ServerResponse,
  status: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): void {
  const type = status < 400 ? 'application/json' : 'application/problem+json';
  response.writeHead(status, { 'content-type': type, ...headers }).end(JSON.stringify(body));
}

function takeApart(body: Buffer): { readonly signedUrl: string; readonly payload: unknown } {
  const outer = signed.parse(JSON.parse(body.toString()));
  const decode = (text: string): unknown => JSON.parse(Buffer.from(text, 'base64url').toString());
  const payload = outer.payload === '' ? undefined : decode(outer.payload);
  return { signedUrl: header.parse(decode(outer.protected)).url, payload };
}
