// Faults that a test sets per action; each part of the sandbox asks here before it answers.
import type { Service } from './journal.ts';

/** `error`: the part's own error answer, nothing carried out. `lose`: carried out, then the connection is cut
 *  before the answer. `drop`: cut before anything is carried out. `hang`: nothing is carried out and nothing
 *  answered, until the caller gives up. `delay`: carried out after `ms`. `malformed`: carried out, and the
 *  answer is not what the protocol says. */
export type Fault =
  | {
      readonly kind: 'error';
      readonly code: string;
      readonly status: number;
      readonly message?: string;
      readonly headers?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'lose' }
  | { readonly kind: 'drop' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'delay'; readonly ms: number }
  | { readonly kind: 'malformed' };

interface Rule {
  readonly service: Service;
  readonly action: string;
  readonly match: ((resource: string) => boolean) | undefined;
  readonly fault: Fault;
  left: number;
}

export class Faults {
  readonly #rules: Rule[] = [];

  /** The next `times` calls of the action (`*`: of any; on a resource that `match` accepts) get the fault,
   *  until the function that this gives is called. */
  set(
    service: Service,
    action: string,
    fault: Fault,
    times = 1,
    match?: (resource: string) => boolean,
  ): () => void {
    const rule: Rule = { service, action, fault, match, left: times };
    this.#rules.push(rule);
    return () => {
      rule.left = 0;
    };
  }

  /** The fault for this call, which is used up by asking. */
  take(service: Service, action: string, resource: string): Fault | undefined {
    const rule = this.#rules.find(
      (r) =>
        r.left > 0 &&
        r.service === service &&
        (r.action === action || r.action === '*') &&
        (r.match?.(resource) ?? true),
    );
    if (rule) rule.left -= 1;
    return rule?.fault;
  }

  clear(): void {
    this.#rules.length = 0;
  }
}
