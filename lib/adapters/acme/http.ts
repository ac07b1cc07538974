// Sends one HTTPS request to a CA, limits the time and size of the response, and follows no redirect.
import { Agent, request } from 'undici';
import { AcmeError } from '../../ports/acme.ts';
import { describeError } from '../../ports/errors.ts';

/** Longest waits for a CA, in milliseconds. */
export interface Timeouts {
  /** To open a connection, TLS handshake included. */
  readonly connectMs: number;
  /** From sending one request to the last byte of its response. */
  readonly answerMs: number;
}

/** The timeouts in use when the caller sets none. */
export const defaultTimeouts: Timeouts = { connectMs: 10_000, answerMs: 30_000 };

/** One HTTP request to a CA. */
export interface AcmeRequest {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  /** A signed body as JSON text (RFC 8555 §6.2). */
  readonly body?: string;
  /** Timeout of this request in milliseconds; only a value below `Timeouts.answerMs` has an effect. */
  readonly answerMs?: number;
}

/** One HTTP response of a CA. */
export interface AcmeResponse {
  /** URL of the request. */
  readonly url: string;
  readonly status: number;
  /** Keys are header names in lower case; each value is cut at 16,384 characters. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** The parsed body if it is a JSON object, whatever its content type says; else the text. */
  readonly data: unknown;
}

/** Longest body that is read, in bytes. Bodies are never decompressed. */
const maxBody = 1 << 20;
/** Longest header value that is kept, in characters: a Link header may name ten chains. */
const maxHeader = 16_384;
/** RFC 8555 §6.1 requires a client to name itself. */
const userAgent = 'certrelay/0.1 (acme-client; node)';

/** The HTTP connections to one CA. */
export class HttpConnections {
  readonly #agent: Agent;
  readonly #timeouts: Timeouts;

  /** `ca`: PEM trust anchors that replace those of the system; `undefined`: those of the system. */
  constructor(timeouts: Timeouts, ca: string | undefined) {
    this.#timeouts = timeouts;
    // Two connections suffice with HTTP/2, and do not flood a CA that speaks HTTP/1.1.
    this.#agent = new Agent({
      allowH2: true,
      connections: 2,
      connect: { timeout: timeouts.connectMs, ...(ca === undefined ? {} : { ca }) },
    });
  }

  /** Sends one request and returns its response, also one of status 400 and above.
   *  @throws AcmeError `Unreachable` if no response comes in time. `Malformed` if the URL is not https, or
   *  the response is a redirect, is compressed or is over 1 MiB.
   *  @throws the signal's reason once the signal is aborted. */
  async send(acmeRequest: AcmeRequest, signal: AbortSignal): Promise<AcmeResponse> {
    signal.throwIfAborted();
    const url = requireHttps(acmeRequest.url);
    const answerMs = Math.min(acmeRequest.answerMs ?? this.#timeouts.answerMs, this.#timeouts.answerMs);
    const timeout = AbortSignal.timeout(answerMs);
    try {
      return await this.#exchange(acmeRequest, url, AbortSignal.any([signal, timeout]));
    } catch (error) {
      if (error instanceof AcmeError) throw error;
      signal.throwIfAborted();
      const reason = timeout.aborted ? `it took more than ${answerMs / 1000} s` : describeError(error);
      throw new AcmeError('Unreachable', `no answer from ${url.host} (${reason})`, { cause: error });
    }
  }

  /** Closes every connection; requests under way fail. */
  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #exchange({ method, body }: AcmeRequest, url: URL, signal: AbortSignal): Promise<AcmeResponse> {
    const response = await request(url, {
      method,
      body: body ?? null,
      signal,
      dispatcher: this.#agent,
      headers: {
        'user-agent': userAgent,
        'accept-encoding': 'identity',
        ...(body ? { 'content-type': 'application/jose+json' } : {}),
      },
    });
    // A complete body emits an error when it is destroyed unread. Without a listener that ends the process.
    response.body.on('error', () => undefined);
    const headers = Object.fromEntries(
      Object.entries(response.headers).map(([name, value]) => [
        name,
        (Array.isArray(value) ? value.join(', ') : value)?.slice(0, maxHeader),
      ]),
    );
    const coding = headers['content-encoding']?.trim().toLowerCase() ?? '';
    if (method !== 'HEAD' && coding !== '' && coding !== 'identity') {
      response.body.destroy();
      const quoted = JSON.stringify(coding.slice(0, 40));
      throw new AcmeError(
        'Malformed',
        `${url.host} answered with the content-encoding ${quoted}, although the request accepts none`,
      );
    }
    const text = await readText(response.body, url.host);
    if (response.statusCode >= 300 && response.statusCode < 400) {
      throw new AcmeError('Malformed', explainRedirect(url, response.statusCode, headers.location));
    }
    return { url: url.href, status: response.statusCode, headers, data: parseBody(text) };
  }
}

/** The parsed URL. The CA chooses every URL except the directory's, and RFC 8555 §6.1 allows only https. */
function requireHttps(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'https:') return url;
  throw new AcmeError('Malformed', `the CA sent a URL that is not https: ${text.slice(0, 200)}`);
}

/** Redirects are not followed: a signature covers one URL (RFC 8555 §6.4), and a person must check a
 *  directory that has moved. */
function explainRedirect(from: URL, status: number, location: string | undefined): string {
  const to = location === undefined ? undefined : URL.parse(location, from.href);
  const target = to ? `to ${to.origin}${to.pathname}`.slice(0, 200) : 'to nowhere';
  return `${from.host} answered ${from.pathname} with a redirect (${status}) ${target}, which is not followed; if the CA has moved, write its new directory at the issuer`;
}

async function readText(body: AsyncIterable<Buffer>, host: string): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBody) throw new AcmeError('Malformed', `${host} answered with more than 1 MiB`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** JSON is known by its first character: CAs and proxies before them name it `text/plain`, or not at all. */
function parseBody(text: string): unknown {
  const body = text.replace(/^\uFEFF/, '');
  if (!/^\s*\{/.test(body)) return text;
  try {
    return JSON.parse(body);
  } catch {
    return text;
  }
}
