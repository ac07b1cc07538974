// AWS's JSON protocol, as the sandbox's parts speak it.
import { randomUUID } from 'node:crypto';
import type { Answer, Request } from './http-server.ts';

/** An error by its name in the service's API reference, thrown until somebody answers with it. */
export class AwsRefusal<Code extends string> extends Error {
  readonly code: Code;
  constructor(code: Code, message: string) {
    super(message);
    this.code = code;
  }
}

/** The body's JSON, an empty body as `{}`; `undefined` where it is none. */
export function readJson(request: Request): unknown {
  try {
    return JSON.parse(request.body.toString('utf8') || '{}');
  } catch {
    return undefined;
  }
}

/** An error by its name in the service's API reference. */
export function refuse(code: string, status: number, message: string): Answer {
  return answer(status, { __type: code, message });
}

export function answer(status: number, body: object): Answer {
  return {
    status,
    headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amzn-requestid': randomUUID() },
    body: JSON.stringify(body),
  };
}
