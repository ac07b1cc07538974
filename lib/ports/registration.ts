// The socket between the webhook and the story that registers certificates; each comment is part of the
// contract.
import type { StoredSpec } from '../certificate/stored.ts';

/** What became of somebody's request to keep a certificate. */
export type Registration =
  /** New: stored, and the issue function has been told. */
  | { readonly kind: 'accepted'; readonly name: string; readonly domains: readonly string[] }
  /** The same was asked before; nothing was changed. */
  | {
      readonly kind: 'known';
      readonly name: string;
      readonly domains: readonly string[];
      readonly issued: boolean;
    }
  /** The name, or one of the domains, is somebody else's. `message` is for the sender and does not say whose;
   *  `owner`, for the operator, does. */
  | { readonly kind: 'taken'; readonly name: string; readonly message: string; readonly owner?: string }
  /** Every mistake with its place in the request. */
  | {
      readonly kind: 'refused';
      readonly problems: readonly { readonly path: string; readonly message: string }[];
    }
  /** The inventory lets nobody register. */
  | { readonly kind: 'closed' };

/** Registers a specification that has been checked; `id` as for `Register`. The same name with other domains
 *  is `taken`. May be called twice: the second answer is `known`. */
export type RegisterSpec = (
  spec: StoredSpec,
  id: string,
  signal: AbortSignal,
) => Promise<Extract<Registration, { readonly kind: 'accepted' | 'known' | 'taken' }>>;

/** Registers what an authenticated request asks for. `body` is parsed JSON and not checked; `id` names the
 *  request in logs. May be called twice: the second answer is `known`. */
export type Register = (body: unknown, id: string, signal: AbortSignal) => Promise<Registration>;
