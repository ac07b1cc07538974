// Remembers every call that reaches a part of the sandbox, in order, and lets a test stand before or after
// one.
import type { AccessRequest } from './iam/evaluation.ts';

/** Which part of the sandbox was called. */
export type Service =
  | 'acme'
  | 'route53'
  | 'secretsmanager'
  | 'acm'
  | 'sqs'
  | 'sts'
  | 'eks'
  | 'events'
  | 'lambda'
  | 'logs'
  | 'apigateway'
  | 'kubernetes'
  | 'dns'
  | 'sns'
  | 'notices';

/** One call. `action` is the API's own name (`PutSecretValue`, `newOrder`, `patch secrets`). */
export interface Call {
  /** 1, 2, 3 … over all parts of one sandbox. */
  readonly number: number;
  readonly service: Service;
  readonly action: string;
  /** ARN, URL path or object path the call is about; `*` where it has none. */
  readonly resource: string;
  /** Who made it: the function's name where credentials tell, else `unknown`. */
  readonly principal: string;
  /** What else the part knows of the call, e.g. the names, types and actions of a Route 53 change. */
  readonly detail?: unknown;
  /** What IAM is asked for it; absent: for the action on the resource. */
  readonly needs?: readonly AccessRequest[] | undefined;
  readonly at: Date;
  /** HTTP status of the answer; absent while under way or when none was sent. */
  status?: number;
}

/** What IAM is asked before a call of AWS is carried out. */
export function neededFor({
  service,
  action,
  resource,
  needs,
}: Pick<Call, 'service' | 'action' | 'resource' | 'needs'>): readonly AccessRequest[] {
  return needs ?? [{ action: `${service}:${action}`, resource }];
}

/** Runs before a call is carried out, or after it and before its answer leaves; may wait for as long as it
 *  likes. */
export type Hook = (call: Call) => void | Promise<void>;

export class Journal {
  readonly calls: Call[] = [];
  readonly #before = new Set<Hook>();
  readonly #after = new Set<Hook>();

  /** Writes a call down and runs the `before` hooks. */
  async begin(call: Omit<Call, 'number' | 'at' | 'status'>): Promise<Call> {
    const entry: Call = { ...call, number: this.calls.length + 1, at: new Date() };
    this.calls.push(entry);
    for (const hook of this.#before) await hook(entry);
    return entry;
  }

  /** Runs the `after` hooks: the call was carried out, its answer has not left. */
  async end(call: Call, status: number): Promise<void> {
    call.status = status;
    for (const hook of this.#after) await hook(call);
  }

  before(hook: Hook): () => void {
    this.#before.add(hook);
    return () => this.#before.delete(hook);
  }

  after(hook: Hook): () => void {
    this.#after.add(hook);
    return () => this.#after.delete(hook);
  }

  /** Calls that match, in order. */
  find(match: {
    readonly service?: Service;
    readonly action?: string;
    readonly principal?: string;
  }): readonly Call[] {
    return this.calls.filter(
      (call) =>
        (match.service === undefined || call.service === match.service) &&
        (match.action === undefined || call.action === match.action) &&
        (match.principal === undefined || call.principal === match.principal),
    );
  }

  count(match: Parameters<Journal['find']>[0]): number {
    return this.find(match).length;
  }

  clear(): void {
    this.calls.length = 0;
  }
}
