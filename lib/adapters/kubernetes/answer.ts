// Reads what an API server answers, as far as an answer of Kubernetes goes: neither more bytes, nor deeper, nor compressed.
import type { IncomingHttpHeaders } from 'node:http';
import type { LargeAnswers } from './large-answers.ts';

/** An answer that is not read to its end, or not taken as it is. The message quotes nothing of it. */
export class AnswerError extends Error {
  readonly code: 'TooLarge' | 'Malformed';
  constructor(code: 'TooLarge' | 'Malformed', message: string) {
    super(message);
    this.code = code;
  }
}

/** The body of an answer, as it comes. */
export interface AnswerBody extends AsyncIterable<Uint8Array> {
  destroy(): unknown;
}

/** Most bytes of a page of a list, and of one object: etcd keeps none of more than 1.5 MB. */
export const mostPageBytes = 16 * 1024 * 1024;
export const mostObjectBytes = 4 * 1024 * 1024;

/** What more bytes than these would say of a refusal, nobody reads. */
const mostRefusalBytes = 64 * 1024;

/** Kubernetes nests an object no deeper than a dozen levels, or some more with definitions of one's own. */
const mostDepth = 100;

/** Values of one answer: each takes many times the room of the few bytes that it comes in. */
const mostValues = 500_000;

/** The whole of an answer in JSON. @throws AnswerError, SyntaxError */
export async function readAnswer(
  body: AnswerBody,
  headers: IncomingHttpHeaders,
  { mostBytes, large, signal }: { mostBytes: number; large: LargeAnswers; signal: AbortSignal },
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

/** The beginning of a refusal, as text. @throws AnswerError */
export async function readRefusal(
  body: AnswerBody,
  headers: IncomingHttpHeaders,
  rest: { readonly large: LargeAnswers; readonly signal: AbortSignal },
): Promise<string> {
  try {
    refuseCompressed(headers);
    const bytes = await collect(body, { most: mostRefusalBytes, ...rest });
    return bytes.subarray(0, mostRefusalBytes).toString('utf8');
  } finally {
    body.destroy();
  }
}

/** A few bytes may stand for a thousand times as many. */
function refuseCompressed(headers: IncomingHttpHeaders): void {
  const encoding = (headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  if (encoding === 'identity' || encoding === '') return;
  const advice = 'switch compression off in what stands before the API server';
  throw new AnswerError('Malformed', `the answer is compressed, which was not asked for: ${advice}`);
}

function tooLarge(mostBytes: number): AnswerError {
  return new AnswerError('TooLarge', `the answer is larger than ${mostBytes / (1024 * 1024)} MiB`);
}

/** The body in one piece; of one that is longer, a little more than `most` bytes. It grows in steps, for the body may come byte
 *  by byte. */
async function collect(
  body: AnswerBody,
  { most, large, signal }: { most: number; large: LargeAnswers; signal: AbortSignal },
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

/** Counts before anything is made of it. @throws AnswerError */
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
      if (depth > mostDepth) throw new AnswerError('Malformed', 'the answer is nested too deep');
    } else if (closing.has(byte)) depth -= 1;
    if (values > mostValues) {
      throw new AnswerError('TooLarge', `the answer has more than ${mostValues} values`);
    }
  }
}

/** `null` is absent, as the API says it of every field; changed in place. */
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
