// Reads the body of an API server's response, and limits its size, its depth and its number of values.
import type { IncomingHttpHeaders } from 'node:http';
import type { LargeResponses } from './large-responses.ts';

/** A response that is refused. The message quotes nothing of it. */
export class ResponseError extends Error {
  readonly code: 'TooLarge' | 'Malformed';
  constructor(code: 'TooLarge' | 'Malformed', message: string) {
    super(message);
    this.code = code;
  }
}

/** The body of a response as a stream of chunks. */
export interface ResponseBody extends AsyncIterable<Uint8Array> {
  /** Stops the stream and frees its connection. */
  destroy(): unknown;
}

/** Most bytes of one page of a list. */
export const mostPageBytes = 16 * 1024 * 1024;
/** Most bytes of one object. etcd stores none of more than 1.5 MB. */
export const mostObjectBytes = 4 * 1024 * 1024;

/** How many bytes of a refusal are read. */
const mostRefusalBytes = 64 * 1024;

/** Deepest nesting. An object of Kubernetes has about a dozen levels, one of a custom definition some
 *  more. */
const mostDepth = 100;

/** Most values in one response. A value of a few bytes takes many times as much memory once it is parsed. */
const mostValues = 500_000;

/** The parsed JSON of a response, with members that are `null` left out.
 *  @throws ResponseError `TooLarge` if it has over `mostBytes` bytes or 500,000 values; `Malformed` if it is
 *  compressed or nested over 100 levels deep.
 *  @throws SyntaxError if it is not JSON. */
export async function readJson(
  body: ResponseBody,
  headers: IncomingHttpHeaders,
  { mostBytes, large, signal }: { mostBytes: number; large: LargeResponses; signal: AbortSignal },
): Promise<unknown> {
  const declared = Number(headers['content-length'] ?? 0);
  try {
    refuseCompressed(headers);
    if (declared > mostBytes) throw tooLarge(mostBytes);
    const bytes = await collect(body, { most: mostBytes, large, signal });
    if (bytes.length > mostBytes) throw tooLarge(mostBytes);
    checkStructure(bytes);
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return withoutNulls(parsed);
  } finally {
    body.destroy();
  }
}

/** The first 64 KiB of a refusal as text.
 *  @throws ResponseError `Malformed` if it is compressed. */
export async function readRefusal(
  body: ResponseBody,
  headers: IncomingHttpHeaders,
  rest: { readonly large: LargeResponses; readonly signal: AbortSignal },
): Promise<string> {
  try {
    refuseCompressed(headers);
    const bytes = await collect(body, { most: mostRefusalBytes, ...rest });
    return bytes.subarray(0, mostRefusalBytes).toString('utf8');
  } finally {
    body.destroy();
  }
}

/** Refuses a compressed response: a few bytes could become a thousand times as many. */
function refuseCompressed(headers: IncomingHttpHeaders): void {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return;
  const advice = 'switch off compression in the proxy before the API server';
  throw new ResponseError(
    'Malformed',
    `the answer is compressed, although the request accepts none: ${advice}`,
  );
}

function tooLarge(mostBytes: number): ResponseError {
  return new ResponseError('TooLarge', `the answer is larger than ${mostBytes / (1024 * 1024)} MiB`);
}

/** The bytes of a body, or its first `most` + 1 bytes if it is longer. The buffer grows in steps, because the
 *  body may arrive byte by byte. */
async function collect(
  body: ResponseBody,
  { most, large, signal }: { most: number; large: LargeResponses; signal: AbortSignal },
): Promise<Buffer> {
  let bytes = Buffer.allocUnsafe(16 * 1024);
  let length = 0;
  let release: (() => void) | undefined;
  try {
    for await (const chunk of body) {
      const part = chunk.subarray(0, most + 1 - length);
      if (length + part.length > large.fromBytes) release ??= await large.enter(signal);
      if (length + part.length > bytes.length) {
        const grown = Buffer.allocUnsafe(
          Math.min(most + 1, Math.max(bytes.length * 2, length + part.length)),
        );
        bytes.copy(grown, 0, 0, length);
        bytes = grown;
      }
      bytes.set(part, length);
      length += part.length;
      if (length > most) break;
    }
    return bytes.subarray(0, length);
  } finally {
    release?.();
  }
}

const [quote, backslash, comma] = [0x22, 0x5c, 0x2c];
const opening = new Set([0x5b, 0x7b]);
const closing = new Set([0x5d, 0x7d]);

/** Counts depth and values before the JSON is parsed.
 *  @throws ResponseError if there are too many. */
function checkStructure(bytes: Buffer): void {
  let [depth, values, isText] = [0, 0, false];
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (isText) {
      if (byte === backslash) index += 1;
      else if (byte === quote) isText = false;
    } else if (byte === quote) isText = true;
    else if (byte === comma) values += 1;
    else if (opening.has(byte)) {
      values += 1;
      depth += 1;
      if (depth > mostDepth) throw new ResponseError('Malformed', 'the answer is nested too deep');
    } else if (closing.has(byte)) depth -= 1;
    if (values > mostValues) {
      throw new ResponseError('TooLarge', `the answer has more than ${mostValues} values`);
    }
  }
}

/** The value without members and items that are `null`, which in the Kubernetes API means absent. Changes the
 *  value in place. Also removes members called `__proto__`. */
function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) {
    const present: unknown[] = value.includes(null) ? value.filter((item) => item !== null) : value;
    for (const item of present) withoutNulls(item);
    return present;
  }
  if (typeof value !== 'object' || value === null) return value;
  for (const [key, field] of Object.entries(value)) {
    const kept = withoutNulls(field);
    if (field === null || key === '__proto__') Reflect.deleteProperty(value, key);
    else if (kept !== field) Reflect.set(value, key, kept);
  }
  return value;
}
