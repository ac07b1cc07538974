// Port between the webhook and registration. Each comment is part of the contract.
import type { StoredSpec } from '../certificate/stored.ts';

/** The result of a request to register a certificate. */
export type Registration =
  /** The specification is new: it is stored, and a message to `issue` is sent. */
  | { readonly kind: 'accepted'; readonly name: string; readonly domains: readonly string[] }
  /** The same specification is stored already; nothing was changed. `issued`: whether it has a
   *  certificate. */
  | {
      readonly kind: 'known';
      readonly name: string;
      readonly domains: readonly string[];
      readonly issued: boolean;
    }
  /** The name or one of the domains belongs to another source. `message` is for the sender and does not name
   *  the source; `owner` names it, for the operator. */
  | { readonly kind: 'taken'; readonly name: string; readonly message: string; readonly owner?: string }
  /** The request has mistakes; each comes with its path in the request. */
  | {
      readonly kind: 'refused';
      readonly problems: readonly { readonly path: string; readonly message: string }[];
    }
  /** The inventory does not allow registration. */
  | { readonly kind: 'closed' };

/** Registers a checked specification. `id` identifies the request in the log. A stored name with other
 *  domains is `taken`. May be called twice: the second result is `known`. */
export type RegisterSpec = (
  spec: StoredSpec,
  id: string,
  signal: AbortSignal,
) => Promise<Extract<Registration, { readonly kind: 'accepted' | 'known' | 'taken' }>>;

/** Registers the certificate in an authenticated request. `body` is parsed, unchecked JSON. `id` identifies
 *  the request in the log. May be called twice: the second result is `known`. */
export type Register = (body: unknown, id: string, signal: AbortSignal) => Promise<Registration>;
