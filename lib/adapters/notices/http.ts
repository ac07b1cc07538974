// Posts to a URL that may be a secret: one request, no redirect, a bounded answer, and no word of the URL.
import type { LookupFunction } from 'node:net';
import { Agent, request } from 'undici';
import { oneLine } from '../../policy/bounds.ts';
import { explainNetworkCode } from '../../ports/foreign-errors.ts';
import type { TryResult } from '../../ports/notices.ts';
import { forbiddenCode, hasForbiddenHost, lookupAllowed } from './addresses.ts';

/** One request. */
export interface PostRequest {
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** What must not be repeated in words, besides parts of the URL. */
  readonly secret?: string | undefined;
}

/** An answer, of any status. */
export interface PostAnswer {
  readonly status: number;
  /** How long the service asks to wait; absent: it does not say. */
  readonly retryAfterMs?: number | undefined;
  /** The beginning of the body, without control characters: what had come when it ended, broke off or took
   *  too long. Empty if it repeats a part of the URL. */
  readonly text: string;
}

/** Posts once. A failure of the connection is a result, in words.
 *  @throws the signal's reason once the signal is aborted; nothing else. */
export type Post = (
  asked: PostRequest,
  signal: AbortSignal,
) => Promise<PostAnswer | Exclude<TryResult, { kind: 'accepted' }>>;

/** How connections are made. */
export interface PostOptions {
  /** PEM of trust anchors in place of the system's. */
  readonly ca?: string;
  /** Whole time of one request, in milliseconds; absent: 15 s. */
  readonly timeoutMs?: number;
  readonly lookup?: LookupFunction;
}

/** Characters of an answer that are kept. */
const mostCharacters = 300;
/** Bytes of an answer that are read. */
const mostBytes = 16_384;

/** Connections for posts. `close` ends them. */
export function openPost(options: PostOptions = {}): {
  readonly post: Post;
  readonly close: () => Promise<void>;
} {
  const { ca, timeoutMs = 15_000, lookup = lookupAllowed } = options;
  const connect = { lookup, timeout: timeoutMs, ...(ca === undefined ? {} : { ca }) };
  const agent = new Agent({ connect, connections: 4, pipelining: 1, maxHeaderSize: 16_384 });
  return {
    async post({ url, headers, body, secret }, signal) {
      signal.throwIfAborted();
      const parsed = new URL(url);
      if (hasForbiddenHost(parsed)) return { kind: 'refused', words: explain(forbiddenCode, timeoutMs) };
      const timeout = AbortSignal.timeout(timeoutMs);
      try {
        const answer = await request(parsed, {
          method: 'POST',
          dispatcher: agent,
          headers: { 'user-agent': 'certrelay', 'content-type': 'application/json', ...headers },
          body,
          signal: AbortSignal.any([signal, timeout]),
        });
        const text = await readStart(answer.body);
        return {
          status: answer.statusCode,
          retryAfterMs: readRetryAfter(answer.headers['retry-after'], new Date()),
          text: repeats(text, parsed, secret) ? '' : text,
        };
      } catch (error) {
        signal.throwIfAborted();
        const words = explain(
          timeout.aborted ? 'UND_ERR_HEADERS_TIMEOUT' : codeOfConnection(error),
          timeoutMs,
        );
        return { kind: 'failed', words };
      }
    },
    close: () => agent.destroy(),
  };
}

/** The result that most services mean by an answer: 2xx is accepted; 408, 429 and 5xx may be tried again, and
 *  3xx, which is not followed; any other 4xx is final. */
export function judgeAnswer({ status, retryAfterMs, text }: PostAnswer): TryResult {
  const words = `answered ${status}${text === '' ? '' : `: ${text}`}`;
  if (status >= 200 && status < 300) return { kind: 'accepted', words };
  if (status >= 400 && status < 500 && status !== 408 && status !== 429) return { kind: 'refused', words };
  if (status >= 300 && status < 400)
    return { kind: 'failed', words: `answered ${status}: a redirect, which is not followed` };
  return { kind: 'failed', words, retryAfterMs };
}

/** Seconds, or a date (RFC 9110 §10.2.3), as milliseconds from now. */
export function readRetryAfter(
  header: string | readonly string[] | undefined,
  now: Date,
): number | undefined {
  const text = typeof header === 'string' ? header : header?.[0];
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1_000;
  const until = Date.parse(text);
  return Number.isNaN(until) ? undefined : Math.max(0, until - now.getTime());
}

async function readStart(body: AsyncIterable<Buffer> & { destroy(): unknown }): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  try {
    for await (const part of body) {
      parts.push(part);
      bytes += part.length;
      if (bytes > mostBytes) break;
    }
  } catch {
    // The status has said already what became of the request: sent again, it would be told twice.
  }
  return oneLine(Buffer.concat(parts).toString('utf8').trim(), mostCharacters);
}

/** Whether a text has something that may be secret: a part of the URL's path or query, or the secret. */
function repeats(text: string, { pathname, search, username, password }: URL, secret = ''): boolean {
  const parts = `${username} ${password} ${pathname} ${search} ${secret}`.split(/[^A-Za-z0-9]+/);
  return parts.some((part) => part.length >= 6 && text.includes(part));
}

function codeOfConnection(error: unknown): string {
  const code: unknown = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,60}$/.test(code) ? code : 'no reason given';
}

/** Words for a failed connection. The errors of Node and undici are not repeated: some quote the URL. */
function explain(code: string, timeoutMs: number): string {
  if (code === forbiddenCode) return 'its host has a link-local address, to which nothing is sent';
  if (code === 'ENOTFOUND') return 'its host is not in DNS';
  if (code === 'ECONNREFUSED') return 'its host refuses connections';
  if (/TIMEOUT|ETIMEDOUT/.test(code)) return `no answer within ${timeoutMs / 1_000} s`;
  if (/CERT|SIGNATURE|ISSUER|SELF_SIGNED|ALTNAME/.test(code))
    return `its TLS certificate is not valid (${code})`;
  return explainNetworkCode(code) ?? `the connection failed (${code})`;
}
