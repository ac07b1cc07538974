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
  | {
      readonly kind: 'taken';
      readonly name: string;
      readonly message: string;
      readonly owner?: string;
      /** Until when the name is taken, at the latest: its certificate is let go, or deleted. */
      readonly until?: Date;
    }
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

/** How a name stands that the webhook registered. `unknown`: it did not register one that is still there. */
export type RegistrationStanding =
  | {
      readonly kind: 'registered';
      readonly name: string;
      /** Absent if they do not fit into tags. */
      readonly domains?: readonly string[] | undefined;
      /** Whether it has a certificate, and until when that is valid. */
      readonly issued: boolean;
      readonly notAfter?: Date | undefined;
      /** The inventory file has the name, too: it is not given up, and no request for it is taken. */
      readonly isKept?: true;
    }
  /** It is being let go. `until`: when the name is free, at the latest; absent if nobody knows. `isNew`: by
   *  this very request. */
  | {
      readonly kind: 'leaving';
      readonly name: string;
      readonly until?: Date | undefined;
      readonly isNew?: true;
    }
  /** Its AWS secret is in its recovery window, which ends at `until`. */
  | { readonly kind: 'gone'; readonly name: string; readonly until: Date }
  | { readonly kind: 'unknown'; readonly name: string }
  | { readonly kind: 'closed' };

/** Says how a name stands. Writes nothing. */
export type DescribeRegistration = (name: string, signal: AbortSignal) => Promise<RegistrationStanding>;

/** Has a certificate that the webhook registered let go. A second request changes nothing. `kept`: the
 *  inventory file has the name, or the name was registered or restored after `sentAt`; `message` is for the
 *  sender.
 *  @param request `id` identifies it in the log; `sentAt`: when it was sent, as its signature says. */
export type TakeBack = (
  name: string,
  request: { readonly id: string; readonly sentAt: Date },
  signal: AbortSignal,
) => Promise<
  | RegistrationStanding
  | {
      readonly kind: 'kept';
      readonly name: string;
      readonly message: string;
      readonly reason: 'KeptByOperator' | 'SentTooEarly';
    }
>;
