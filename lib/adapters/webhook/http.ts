// Parses requests of API Gateway (payload format 2.0), refuses malformed ones, and makes JSON responses.
import * as z from 'zod';
import { isCertificateName } from '../../certificate/certificate-name.ts';

/** A request of allowed method, size and content type. Its JSON is not parsed, and its sender not
 *  authenticated yet. */
export interface HttpRequest {
  /** `POST` without a name, and `GET`, `PUT` or `DELETE` with one. */
  readonly method: string;
  /** The certificate's name at the end of the path. */
  readonly name?: string | undefined;
  /** Headers by name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** The body exactly as sent, because the signature covers it. A GET or DELETE without a body has the text
   *  that its sender has signed instead: `{"method":"GET","name":"shop"}`. */
  readonly body: string;
}

/** The response of a function behind an HTTP API. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Largest body of a request, in bytes: enough for a hundred names of 150 characters. */
export const largestBodyBytes = 16 * 1024;

const httpEvent = z.object({
  version: z.literal('2.0'),
  requestContext: z.object({ http: z.object({ method: z.string() }) }),
  headers: z.record(z.string(), z.string()).default({}),
  pathParameters: z.object({ name: z.string() }).optional(),
  body: z.string().default(''),
  isBase64Encoded: z.boolean().default(false),
});

/** The request in an event, or the response for a malformed one: status 400, 405, 413 or 415. */
export function parseHttpEvent(event: unknown): { readonly request: HttpRequest } | HttpResponse {
  const parsed = httpEvent.safeParse(event);
  if (!parsed.success)
    return jsonResponse(400, { message: 'this is not an event of an HTTP API (payload 2.0)' });
  const { requestContext, headers: received, body, isBase64Encoded, pathParameters } = parsed.data;
  const headers = new Map(Object.entries(received).map(([name, value]) => [name.toLowerCase(), value]));
  if (headers.size < Object.keys(received).length)
    return jsonResponse(400, { message: 'a header is there twice' });

  const { method } = requestContext.http;
  const name = pathParameters?.name;
  const allowed = name === undefined ? ['POST'] : ['GET', 'PUT', 'DELETE'];
  if (!allowed.includes(method)) {
    const allow = allowed.join(', ');
    return jsonResponse(405, { message: `only ${allow} is answered here` }, { allow });
  }
  if (name !== undefined && !isCertificateName(name)) {
    return jsonResponse(400, { message: "the path must end with a certificate's name" });
  }
  const encoding = isBase64Encoded ? 'base64' : 'utf8';
  if (Buffer.byteLength(body, encoding) > largestBodyBytes) {
    return jsonResponse(413, { message: `the body must not have more than ${largestBodyBytes} bytes` });
  }
  if (body === '' && name !== undefined && method !== 'PUT') {
    return { request: { method, name, headers, body: JSON.stringify({ method, name }) } };
  }
  if (!isJson(headers.get('content-type'))) {
    return jsonResponse(415, { message: 'the content type must be application/json, in UTF-8' });
  }
  const text = decodeUtf8(Buffer.from(body, encoding));
  if (text === undefined) return jsonResponse(400, { message: 'the body is not UTF-8' });
  return { request: { method, name, headers, body: text } };
}

/** A response with `body` as JSON, which must not be cached. */
export function jsonResponse(
  statusCode: number,
  body: object,
  headers: Readonly<Record<string, string>> = {},
): HttpResponse {
  return {
    statusCode,
    headers: { 'content-type': 'application/json', 'cache-control': 'no-store', ...headers },
    body: JSON.stringify(body),
  };
}

/** Whether the content type is JSON in UTF-8, the only encoding for JSON (RFC 8259 §8.1). */
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

/** The text of UTF-8 bytes; `undefined` if they are not UTF-8. */
function decodeUtf8(bytes: Buffer): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
