// Problem documents: what the CA answers when it refuses (RFC 8555 §6.7).
import type { Answer } from '../http-server.ts';

/** One name's own reason within a refusal (RFC 8555 §6.7.1). */
export interface Subproblem {
  readonly type: string;
  readonly detail: string;
  readonly name: string;
}

/** Thrown anywhere while a request is handled; becomes the answer. */
export class Problem extends Error {
  /** Last part of the type URN, e.g. `badCSR`. */
  readonly type: string;
  readonly status: number;
  readonly subproblems: readonly Subproblem[];
  /** Further members of the document, e.g. the `algorithms` of badSignatureAlgorithm. */
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    type: string,
    status: number,
    detail: string,
    extra: {
      readonly subproblems?: readonly Subproblem[];
      readonly members?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(detail);
    this.type = type;
    this.status = status;
    this.subproblems = extra.subproblems ?? [];
    this.members = extra.members ?? {};
  }

  /** The document itself, as it also stands in a challenge's `error`. */
  document(): Record<string, unknown> {
    return {
      type: urn(this.type),
      detail: this.message,
      status: this.status,
      ...(this.subproblems.length > 0 && {
        subproblems: this.subproblems.map(({ type, detail, name }) => ({
          type: urn(type),
          detail,
          identifier: { type: 'dns', value: name },
        })),
      }),
      ...this.members,
    };
  }

  answer(): Answer {
    return {
      status: this.status,
      headers: { 'content-type': 'application/problem+json' },
      body: JSON.stringify(this.document()),
    };
  }
}

/** 400: the request is not what RFC 8555 asks for. */
export function malformed(detail: string): Problem {
  return new Problem('malformed', 400, detail);
}

/** 403: the account may not do this, or a proof did not hold. */
export function unauthorized(detail: string): Problem {
  return new Problem('unauthorized', 403, detail);
}

/** No resource there: `malformed` with 404, for want of a type of its own. */
export function notFound(detail: string): Problem {
  return new Problem('malformed', 404, detail);
}

function urn(type: string): string {
  return `urn:ietf:params:acme:error:${type}`;
}
