// State of letting a certificate go: what a person has decided last, and since when no object asks for it.

/** A person's last decision about letting a certificate go. `retire`: it is to go; `revoke`: its versions
 *  are revoked too. `restored`: it stays after all; `version` was current then, and is delivered nowhere,
 *  because somebody else may have its key. `version` is absent if none was issued. */
export type RetireDecision =
  | { readonly kind: 'retire'; readonly at: Date; readonly revoke: boolean }
  | { readonly kind: 'restored'; readonly at: Date; readonly version?: string | undefined };

/** What `discover` remembers of a certificate that no object asks for any more. `counting`: it stays.
 *  `retire`: it is to go, since `at`. */
export type GoneRecord =
  | {
      readonly kind: 'counting';
      /** The first pass that listed its place whole and found nobody who asks. */
      readonly since: Date;
      /** Days (in UTC) after that one on which such a pass found nobody either, 9 at most. */
      readonly days: number;
      /** The pass that counted the last of them. */
      readonly countedAt: Date;
      /** Such passes in a row, 9 at most: one that cannot list the place whole begins anew. */
      readonly row: number;
    }
  | { readonly kind: 'retire'; readonly at: Date; readonly since: Date };
