// The one way to a CA: signed requests over few connections, with nonces handed on, timeouts and coded errors.
import type { KeyObject } from 'node:crypto';
import type { Response, SignedRequests } from 'acme-client/src/api.js';
import HttpClient from 'acme-client/src/http.js';
import { Agent, request } from 'undici';
import * as z from 'zod';
import { AcmeError } from '../errors.ts';
import type { Clock } from '../ports.ts';
import { Nonces } from './nonces.ts';
import { readProblem, readRetryAfter, refusal } from './problem.ts';

const requestTimeoutMs = 30_000;
const maxBody = 1 << 20;
/** Let's Encrypt asks clients to name themselves (RFC 8555 §6.1). */
const userAgent = 'certrelay/0.1 (acme-client; node)';
const maxBadNonces = 10;
const maxAttempts = 4;
/** A wait the CA asks for that is longer is left to the next run. */
const maxRetryAfterMs = 10_000;

const directorySchema = z.looseObject({
  newNonce: z.url(),
  newAccount: z.url(),
  newOrder: z.url(),
  meta: z
    .looseObject({
      termsOfService: z.string().optional(),
      externalAccountRequired: z.boolean().optional(),
      profiles: z.record(z.string(), z.string()).optional(),
    })
    .optional(),
});

/** RFC 8555 §7.1.1. */
export type Directory = z.infer<typeof directorySchema>;

/** One CA: its directory is read once, its connections and nonces are shared by all that talk to it. */
export class Transport {
  readonly #directoryUrl: string;
  readonly #agent: Agent;
  readonly #clock: Clock;
  readonly #nonces: Nonces;
  #directory: Promise<Directory> | undefined;

  /** `ca`: PEM trust anchors instead of the system's. */
  constructor(directoryUrl: string, clock: Clock, ca?: string) {
    this.#directoryUrl = directoryUrl;
    this.#clock = clock;
    this.#nonces = new Nonces(() => clock.now().getTime());
    // Two connections: HTTP/2 multiplexes, and an HTTP/1.1 CA is not flooded.
    this.#agent = new Agent({
      allowH2: true,
      connections: 2,
      headersTimeout: requestTimeoutMs,
      bodyTimeout: requestTimeoutMs,
      connect: { timeout: 10_000, ...(ca === undefined ? {} : { ca }) },
    });
  }

  /** @throws AcmeError `Unreachable`, `Problem`, or `Malformed` where the URL is no ACME directory. */
  directory(signal: AbortSignal): Promise<Directory> {
    this.#directory ??= this.#readDirectory(signal).catch((error: unknown) => {
      this.#directory = undefined;
      throw error;
    });
    return this.#directory;
  }

  async #readDirectory(signal: AbortSignal): Promise<Directory> {
    const response = await this.#repeat(
      () => this.#send('GET', this.#directoryUrl, undefined, signal),
      true,
      signal,
    );
    const parsed = directorySchema.safeParse(response.data);
    if (!parsed.success)
      throw new AcmeError('Malformed', `${this.#directoryUrl} does not answer with an ACME directory`);
    return parsed.data;
  }

  /** Signs for one account key. */
  signer(key: KeyObject): HttpClient {
    return new HttpClient(this.#directoryUrl, key);
  }

  /** What acme-client's API calls go through, for one signer and one signal. */
  signed(signer: HttpClient, signal: AbortSignal): SignedRequests {
    return {
      getResourceUrl: async (resource) => {
        const url = (await this.directory(signal))[resource];
        if (typeof url !== 'string')
          throw new AcmeError('Unsupported', `the CA's directory offers no ${resource}`);
        return url;
      },
      signedRequest: (url, payload, { kid }) => {
        // Reads, and telling the CA again that a challenge may be validated, change nothing when repeated.
        const repeatable = payload === null || Object.keys(payload).length === 0;
        return this.#repeat(() => this.#post(signer, url, payload, kid, signal), repeatable, signal);
      },
    };
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #post(
    signer: HttpClient,
    url: string,
    payload: object | null,
    kid: string | null,
    signal: AbortSignal,
  ): Promise<Response> {
    let nonce = await this.#takeNonce(signal);
    for (let badNonces = 0; ; badNonces += 1) {
      const startedAt = this.#clock.now().getTime();
      const body = JSON.stringify(signer.createSignedBody(url, payload, { nonce, kid }));
      let response: Response;
      try {
        response = await this.#send('POST', url, body, signal);
      } catch (error) {
        this.#nonces.discard();
        throw error;
      }
      const fresh = response.headers['replay-nonce'];
      if (
        response.status === 400 &&
        fresh &&
        readProblem(response.data)?.type === 'badNonce' &&
        badNonces < maxBadNonces
      ) {
        nonce = fresh;
        continue;
      }
      if (fresh) this.#nonces.give(fresh, this.#clock.now().getTime() - startedAt);
      else this.#nonces.discard();
      return response;
    }
  }

  async #takeNonce(signal: AbortSignal): Promise<string> {
    const nonce = await this.#nonces.take();
    if (nonce !== undefined) return nonce;
    try {
      const { newNonce } = await this.directory(signal);
      const response = await this.#send('HEAD', newNonce, undefined, signal);
      const fresh = response.headers['replay-nonce'];
      if (!fresh)
        throw new AcmeError('Malformed', `the CA's newNonce answered ${response.status} without a nonce`);
      return fresh;
    } catch (error) {
      this.#nonces.discard();
      throw error;
    }
  }

  /** Sends again what may be sent again: after 503 or 429 with a short Retry-After anything (the CA carried nothing
   *  out), after a lost answer or a 500 only what changes nothing when repeated. */
  async #repeat(send: () => Promise<Response>, repeatable: boolean, signal: AbortSignal): Promise<Response> {
    for (let attempt = 1; ; attempt += 1) {
      let waitMs = 250 * 2 ** attempt;
      try {
        const response = await send();
        if (response.status < 400) return response;
        const retryAfterMs = readRetryAfter(response.headers['retry-after'], this.#clock.now());
        const turnedAway = response.status === 503 && (retryAfterMs ?? 0) <= maxRetryAfterMs;
        const retry = turnedAway || (repeatable && response.status >= 500);
        if (!retry || attempt >= maxAttempts) {
          throw refusal(new URL(this.#directoryUrl).host, response.status, response.data, retryAfterMs);
        }
        waitMs = Math.min(retryAfterMs ?? waitMs, maxRetryAfterMs);
      } catch (error) {
        const lost = error instanceof AcmeError && error.code === 'Unreachable';
        if (!lost || !repeatable || attempt >= maxAttempts || signal.aborted) throw error;
      }
      await this.#clock.sleep(waitMs, signal);
    }
  }

  async #send(
    method: 'GET' | 'HEAD' | 'POST',
    url: string,
    body: string | undefined,
    signal: AbortSignal,
  ): Promise<Response> {
    try {
      const answer = await request(url, {
        method,
        body,
        signal,
        dispatcher: this.#agent,
        headers: { 'user-agent': userAgent, ...(body ? { 'content-type': 'application/jose+json' } : {}) },
      });
      const text = await readText(answer.body);
      const headers = Object.fromEntries(
        Object.entries(answer.headers).map(([name, value]) => [
          name,
          Array.isArray(value) ? value.join(', ') : value,
        ]),
      );
      return { status: answer.statusCode, headers, data: parseBody(text, headers['content-type']) };
    } catch (error) {
      if (error instanceof AcmeError) throw error;
      signal.throwIfAborted();
      const cause = error instanceof Error ? error.message : String(error);
      throw new AcmeError('Unreachable', `no answer from ${new URL(url).host} (${cause})`, { cause: error });
    }
  }
}

async function readText(body: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBody) throw new AcmeError('Malformed', 'the CA answered with more than 1 MiB');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** JSON where the CA says so, else the text: certificates come as PEM. */
function parseBody(text: string, contentType: string | undefined): unknown {
  if (!/[/+]json/.test(contentType ?? '')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
