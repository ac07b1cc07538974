// One HTTP request to a CA and its answer: within its time and size, over TLS, never redirected.
import { Agent, request } from 'undici';
import { AcmeError } from '../../ports/acme.ts';

/** How long a CA may take, in milliseconds. */
export interface Timeouts {
  /** For a connection with TLS. */
  readonly connectMs: number;
  /** For one whole answer. */
  readonly answerMs: number;
}

/** What a CA is given where nobody says otherwise. */
export const defaultTimeouts: Timeouts = { connectMs: 10_000, answerMs: 30_000 };

/** One request. */
export interface AcmeMessage {
  readonly method: 'GET' | 'HEAD' | 'POST';
  readonly url: string;
  /** A signed body (RFC 8555 §6.2). */
  readonly body?: string;
  /** Less time than `Patience.answerMs`, in milliseconds. */
  readonly answerMs?: number;
}

/** What came back. */
export interface Answer {
  /** Of the request. */
  readonly url: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** JSON where the CA says that it is, else the text. */
  readonly data: unknown;
}

/** Longest answer that is read, in bytes; it is never decompressed. */
const maxBody = 1 << 20;
/** Longest header that is read, in characters: a Link header may name ten chains. */
const maxHeader = 16_384;
/** Let's Encrypt asks clients to name themselves (RFC 8555 §6.1). */
const userAgent = 'certrelay/0.1 (acme-client; node)';

/** Connections to one CA. */
export class Exchange {
  readonly #agent: Agent;
  readonly #timeouts: Timeouts;

  /** `ca`: PEM trust anchors instead of the system's. */
  constructor(timeouts: Timeouts, ca: string | undefined) {
    this.#timeouts = timeouts;
    // Two connections: HTTP/2 multiplexes, and an HTTP/1.1 CA is not flooded.
    this.#agent = new Agent({
      allowH2: true,
      connections: 2,
      connect: { timeout: timeouts.connectMs, ...(ca === undefined ? {} : { ca }) },
    });
  }

  /** The answer, whatever its status, but for redirects.
   *  @throws AcmeError `Unreachable` where there is none in time, `Malformed` where it is over 1 MiB or leads elsewhere;
   *  the signal's reason once that is aborted. */
  async send(message: AcmeMessage, signal: AbortSignal): Promise<Answer> {
    signal.throwIfAborted();
    const url = requireHttps(message.url);
    const answerMs = Math.min(message.answerMs ?? this.#timeouts.answerMs, this.#timeouts.answerMs);
    const inTime = AbortSignal.timeout(answerMs);
    try {
      return await this.#exchange(message, url, AbortSignal.any([signal, inTime]));
    } catch (error) {
      if (error instanceof AcmeError) throw error;
      signal.throwIfAborted();
      const why = error instanceof Error ? error.message : String(error);
      const cause = inTime.aborted ? `it took more than ${answerMs / 1000} s` : why;
      throw new AcmeError('Unreachable', `no answer from ${url.host} (${cause})`, { cause: error });
    }
  }

  close(): Promise<void> {
    return this.#agent.destroy();
  }

  async #exchange({ method, body }: AcmeMessage, url: URL, signal: AbortSignal): Promise<Answer> {
    const answer = await request(url, {
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
    // What has come whole and is destroyed unread emits an error, and one that nobody hears ends the process.
    answer.body.on('error', () => undefined);
    const headers = Object.fromEntries(
      Object.entries(answer.headers).map(([name, value]) => [
        name,
        (Array.isArray(value) ? value.join(', ') : value)?.slice(0, maxHeader),
      ]),
    );
    const coding = headers['content-encoding']?.trim().toLowerCase() ?? '';
    if (method !== 'HEAD' && coding !== '' && coding !== 'identity') {
      answer.body.destroy();
      const said = JSON.stringify(coding.slice(0, 40));
      throw new AcmeError('Malformed', `${url.host} answered in the coding ${said}, which was not asked for`);
    }
    const text = await readText(answer.body, url.host);
    if (answer.statusCode >= 300 && answer.statusCode < 400) {
      throw new AcmeError('Malformed', explainRedirect(url, answer.statusCode, headers.location));
    }
    const data = parseBody(text, headers['content-type']);
    return { url: url.href, status: answer.statusCode, headers, data };
  }
}

/** Every URL but the directory's comes from the CA; RFC 8555 §6.1 allows https alone. */
function requireHttps(text: string): URL {
  const url = URL.parse(text);
  if (url?.protocol === 'https:') return url;
  throw new AcmeError('Malformed', `the CA names an address that is not https: ${text.slice(0, 200)}`);
}

/** A signed request is for one URL (RFC 8555 §6.4), so none is sent on; and a directory that moved is a person's to check. */
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

function parseBody(text: string, contentType: string | undefined): unknown {
  if (!/[/+]json/.test(contentType ?? '')) return text;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
