// Why a certificate is revoked.

/** Reason codes (RFC 5280 §5.3.1) that a subscriber may give; public CAs keep the others to themselves. */
export const revocationReasons = {
  unspecified: 0,
  keyCompromise: 1,
  affiliationChanged: 3,
  superseded: 4,
  cessationOfOperation: 5,
} as const;

/** As RFC 5280 spells it. */
export type RevocationReason = keyof typeof revocationReasons;
