// The schema of one entry of `issuers`: a CA's directory, the account, and how orders are made there.
import * as z from 'zod';
import { challengeTypes } from '../certificate/spec.ts';
import { awsSecret, commonName, contact, directory, file, mapping, pemText } from './fields.ts';
import { caaIdentity } from './order-fields.ts';
import { describeInput } from './problems.ts';

/** One entry of `issuers`. */
export const issuer = mapping({
  directory: directory.describe('letsencrypt-staging, letsencrypt, or the https URL of an ACME directory'),
  contact: z.array(contact).default([]).describe('Mail addresses for messages from the CA'),
  agreeToTerms: z
    .literal(true, {
      error: ({ input }) =>
        `is ${describeInput(input)}; write true after you have read the terms of the CA (Let's Encrypt: https://letsencrypt.org/repository/); in the file as it was shipped, take the # before "agreeToTerms: true" away`,
    })
    .describe("true: you have read the CA's terms and agree to them"),
  profile: z
    .string()
    .regex(/^[\w.-]{1,64}$/, 'is not a profile name; use one that the CA lists, e.g. tlsserver')
    .optional()
    .describe('Certificate profile to order, one of those in the directory of the CA'),
  eab: mapping({
    secret: awsSecret('certrelay/eab/acm').describe('AWS secret with {"kid": …, "hmacKey": …}'),
  })
    .optional()
    .describe('External account binding: the AWS secret with {"kid": …, "hmacKey": …} from the CA'),
  preferredChain: commonName
    .optional()
    .describe(
      "Which of the CA's chains to use: the one whose topmost certificate has an issuer with this common name",
    ),
  caBundle: z
    .union([pemText, file])
    .optional()
    .describe('PEM certificate of the CA to trust for TLS connections to the directory, or { file: … }'),
  challenge: z
    .enum(challengeTypes)
    .optional()
    .describe(
      'dns-persist-01: one permanent TXT record proves every order, if the CA offers that. Default: dns-01',
    ),
  caaIdentity: caaIdentity
    .optional()
    .describe(
      "The CA's name in CAA and dns-persist-01 records, or a list of names. Needed only if it is not in the domain of its directory",
    ),
  attempts: z
    .int('is not a number of attempts; use a whole number, e.g. 3')
    .min(1, 'is less than 1; write at least 1')
    .max(100, 'is more than 100; write at most 100')
    .optional()
    .describe('Failed attempts in a row before the next of fallbackIssuers is tried. Default: 3'),
  rehearsal: z
    .string()
    .optional()
    .describe(
      'A key of issuers, of a test CA. After a failure, the names are validated there first, before this issuer is tried again',
    ),
  onlyFor: z
    .array(z.string())
    .min(1, 'is empty; write clusters or cluster/namespace, or leave out onlyFor')
    .optional()
    .describe('Clusters, or cluster/namespace, that its certificates may go to. Default: all'),
});
