// One HTTP request to a real server with a certificate authority of its own: probes and set-up.

import { request as plain } from 'node:http';
import { request as secure } from 'node:https';

/** What besides the URL a request carries. */
export interface RequestOptions {
  readonly method?: string;
  /** PEM of the authority that the server's certificate must come from; for https only. */
  readonly ca?: string;
  readonly token?: string;
  /** Sent as JSON. */
  readonly json?: unknown;
}

/** What the server answered, whatever its status. */
export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** Makes one request on a connection of its own and reads the answer to its end; gives up after 5 s.
 *  @throws Error when no answer comes. */
export function request(url: string, options: RequestOptions = {}): Promise<Answer> {
  const body = options.json === undefined ? undefined : JSON.stringify(options.json);
  // An ACME server refuses requests without a User-Agent (RFC 8555 §6.1).
  const headers: Record<string, string> = { 'user-agent': 'certrelay-test' };
  if (options.token !== undefined) headers.authorization = `Bearer ${options.token}`;
  if (body !== undefined) headers['content-type'] = 'application/json';
  const settings = {
    method: options.method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    agent: false,
    signal: AbortSignal.timeout(5_000),
  } as const;
  return new Promise((resolve, reject) => {
    const sent = url.startsWith('https:')
      ? secure(url, { ...settings, ...(options.ca === undefined ? {} : { ca: options.ca }) })
      : plain(url, settings);
    sent.once('error', reject);
    sent.once('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () =>
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
      );
    });
    sent.end(body);
  });
}

/** Makes one request and gives the body of its answer.
 *  @throws Error with the answer when its status is not 2xx, and when no answer comes. */
export async function requestOk(url: string, options: RequestOptions = {}): Promise<string> {
  const { status, body } = await request(url, options);
  if (status < 200 || status > 299) throw new Error(`${url} answered ${status}: ${body}`);
  return body;
}
