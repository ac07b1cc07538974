// Reasons for revoking a certificate.

/** Reasons that a subscriber may give (RFC 5280 §5.3.1, in its spelling). Public CAs refuse the others. */
export const revocationReasons = [
  'unspecified',
  'keyCompromise',
  'affiliationChanged',
  'superseded',
  'cessationOfOperation',
] as const;
/** One of `revocationReasons`. */
export type RevocationReason = (typeof revocationReasons)[number];

/** CRLReason codes (RFC 5280 §5.3.1). */
export const reasonCodes: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
};
