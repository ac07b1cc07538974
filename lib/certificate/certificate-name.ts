// How a certificate may be called: the name stands in AWS secret names, in commands and in Secrets' names.

/** Up to 63 of a-z, 0-9 and inner hyphens. */
export const certificateNamePattern = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;

/** Whether a certificate may be called that. */
export function isCertificateName(text: string): boolean {
  return certificateNamePattern.test(text);
}
