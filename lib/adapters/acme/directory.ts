// Parses a CA's directory: the URLs of its resources, and what it offers (RFC 8555 §7.1.1).
import * as z from 'zod';

/** Schema of a directory. Relative URLs are resolved against `base`, the URL of the directory. */
export function directorySchema(base: string) {
  const link = z.string().transform((text, context) => {
    const url = URL.canParse(text) ? text : URL.parse(text, base)?.href;
    if (url !== undefined) return url;
    context.addIssue({ code: 'custom', message: 'is no URL' });
    return z.NEVER;
  });
  return z.looseObject({
    newNonce: link,
    newAccount: link,
    newOrder: link,
    keyChange: link.optional().catch(undefined),
    revokeCert: link.optional().catch(undefined),
    renewalInfo: link.optional().catch(undefined),
    meta: z
      .looseObject({
        termsOfService: z.string().optional(),
        externalAccountRequired: z.boolean().optional(),
        profiles: z.record(z.string(), z.string()).optional(),
        caaIdentities: z.array(z.string().max(253)).max(20).optional().catch(undefined),
      })
      .optional(),
  });
}

/** A CA's directory (RFC 8555 §7.1.1). Every URL is absolute. */
export type AcmeDirectory = z.infer<ReturnType<typeof directorySchema>>;
