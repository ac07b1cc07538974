// HTTP as API Gateway's payload format 2.0 brings it: what a request must be before anything is spent on it.
import * as z from 'zod';

/** A POST with a JSON body of acceptable size; the JSON is not parsed and nothing is authenticated yet. */
export interface HttpRequest {
  /** By lower-case name. */
  readonly headers: ReadonlyMap<string, string>;
  /** Exactly what was sent, for signatures are made over it. */
  readonly body: string;
}

/** What a function behind an HTTP API returns. */
export interface HttpAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The most that the body of a request may have: a hundred names of 150 characters. */
export const largestBodyBytes = 16 * 1024;

const httpEvent = z.object({
  version: z.literal('2.0'),
  requestContext: z.object({ http: z.object({ method: z.string() }) }),
  headers: z.record(z.string(), z.string()).default({}),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

/** The request, or the answer to one that is refused for its form: 400, 405, 413 or 415. */
export function parseHttpEvent(event: unknown): { readonly request: HttpRequest } | HttpAnswer {
  const parsed = httpEvent.safeParse(event);
  if (!parsed.success)
    return answerJson(400, { message: 'this is not an event of an HTTP API (payload 2.0)' });
  const { requestContext, headers: sent, body, isBase64Encoded } = parsed.data;
  const headers = new Map(Object.entries(sent).map(([name, value]) => [name.toLowerCase(), value]));
  if (headers.size < Object.keys(sent).length) return answerJson(400, { message: 'a header is there twice' });

  if (requestContext.http.method !== 'POST') {
    return answerJson(405, { message: 'only POST is answered here' }, { allow: 'POST' });
  }
  const encoding = isBase64Encoded ? 'base64' : 'utf8';
  if (Buffer.byteLength(body, encoding) > largestBodyBytes) {
    return answerJson(413, { message: `the body must not have more than ${largestBodyBytes} bytes` });
  }
  if (!isJson(headers.get('content-type'))) {
    return answerJson(415, { message: 'the content type must be application/json, in UTF-8' });
  }
  const text = decodeUtf8(Buffer.from(body, encoding));
  if (text === undefined) return answerJson(400, { message: 'the body is not UTF-8' });
  return { request: { headers, body: text } };
}

/** An answer with `body` as JSON, not to be cached. */
export function answerJson(
  statusCode: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): HttpAnswer {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}

/** RFC 8259 §8.1: JSON that is exchanged is UTF-8; a charset parameter that says so does no harm. */
function isJson(contentType = ''): boolean {
  const [type = '', ...parameters] = contentType
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  return (
    type === 'application/json' &&
    parameters.every(
      (parameter) => !parameter.startsWith('charset=') || /^charset="?utf-8"?$/.test(parameter),
    )
  );
}

function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
