// Parses a CA's directory: the URLs of its resources, and what it offers (RFC 8555 §7.1.1).
import * as z from 'zod';
import { optional, optionalList } from './members.ts';

/** Schema of a directory. Relative URLs are resolved against `base`, the URL of the directory. Only the
 *  resources that every order needs must be there. */
export function directorySchema(base: string) {
  const link = z
    .string()
    .min(1)
    .transform((text, context) => {
      const url = URL.canParse(text) ? text : URL.parse(text, base)?.href;
      if (url !== undefined) return url;
      context.addIssue({ code: 'custom', message: 'is no URL' });
      return z.NEVER;
    });
  return z.looseObject({
    newNonce: link,
    newAccount: link,
    newOrder: link,
    keyChange: optional(link),
    revokeCert: optional(link),
    renewalInfo: optional(link),
    meta: optional(
      z.looseObject({
        termsOfService: optional(z.string()),
        externalAccountRequired: optional(z.boolean()),
        // By name. What the CA says of each is not read.
        profiles: optional(z.record(z.string(), z.unknown())),
        caaIdentities: optionalList(z.string().min(1).max(253), 20),
        // draft-ietf-acme-dns-persist-02. The prefix is written to DNS, as a parameter's value.
        accountHashPrefix: optional(
          z
            .string()
            .regex(/^https:\/\/[\x21-\x3a\x3c-\x7e]+$/)
            .max(500),
        ),
        issuerDomainNames: optionalList(z.string().min(1).max(253), 20),
      }),
    ),
  });
}

/** A CA's directory (RFC 8555 §7.1.1). Every URL is absolute. */
export type AcmeDirectory = z.infer<ReturnType<typeof directorySchema>>;
