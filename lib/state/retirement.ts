// State of letting a certificate go: what a person has decided last, and since when no object asks for it.

/** A person's last decision about letting a certificate go. `retire`: it is to go; `revoke`: its versions
 *  are revoked too. `restored`: it stays after all; `version` was current then, and is delivered nowhere,
 *  because somebody else may have its key. `version` is absent if none was issued. */
export type RetireDecision =
  | { readonly kind: 'retire'; readonly at: Date; readonly revoke: boolean }
  | { readonly kind: 'restored'; readonly at: Date; readonly version?: string | undefined };
