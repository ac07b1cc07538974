// What a user writes of how a certificate is ordered: from whom, and with which key.
import * as z from 'zod';
import { keyTypes } from '../certificate/spec.ts';
import { describeInput } from './problems.ts';

const keyType = z.enum(keyTypes, {
  error: ({ input }) => `is ${describeInput(input)}; write one of ${keyTypes.join(', ')}`,
});

/** Keys of issuers that stand in for another. */
export const fallbackIssuers = z
  .array(z.string())
  .min(1, 'is empty; write keys of issuers, or leave out fallbackIssuers')
  .optional()
  .describe('Keys of issuers that are tried in their turn once those before have failed too often');

/** The same three keys for certificates of the file, for registered and for discovered ones. */
export const ordering = {
  issuer: z.string().default('default').describe('A key of issuers'),
  fallbackIssuers,
  key: keyType.default('ecdsa-p256'),
};
