// The closed lists of reasons for which a certificate is ordered, or must wait.

/** Why a certificate is ordered. `Resume`: an earlier run began an order, which is finished first. */
export type OrderReason =
  | 'Resume'
  | 'Missing'
  | 'Unparsable'
  | 'KeyMismatch'
  | 'NamesChanged'
  | 'IssuerChanged'
  | 'ProfileChanged'
  | 'KeyChanged'
  | 'Revoked'
  | 'Restored'
  | 'Expired'
  | 'RenewalDue'
  | 'Forced';

/** Why a due certificate must wait. `PreflightFailed`: DNS would fail the order. `NotAllowed`: the inventory
 *  does not allow its specification any more, also if nothing is due. `NameTaken`: another source has one
 *  of its names. `Retiring`: it is let go, so nothing is ordered. */
export type WaitReason =
  | 'Retiring'
  | 'NotAllowed'
  | 'NameTaken'
  | 'InFlight'
  | 'BackingOff'
  | 'Paused'
  | 'RateLimited'
  | 'PreflightFailed';
