// The schema of how a certificate is ordered: its issuers, the CA's names in DNS, and the key type.
import * as z from 'zod';
import { parseName } from '../certificate/name-parsing.ts';
import { withoutWildcard } from '../certificate/names.ts';
import { keyTypes } from '../certificate/spec.ts';
import { zonePattern } from './patterns.ts';
import { describeInput } from './problems.ts';

const keyType = z.enum(keyTypes, {
  error: ({ input }) => `is ${describeInput(input)}; write one of ${keyTypes.join(', ')}`,
});

/** Keys of issuers that are used if `issuer` fails. */
export const fallbackIssuers = z
  .array(z.string())
  .min(1, 'is empty; write keys of issuers, or leave out fallbackIssuers')
  .optional()
  .describe(
    'Keys of issuers that are tried, in this order, after the ones before have failed too often (see attempts of issuers)',
  );

/** The three keys that certificates, `registration` and `discovery` have in common. */
export const ordering = {
  issuer: z.string().default('default').describe('A key of issuers'),
  fallbackIssuers,
  key: keyType.default('ecdsa-p256').describe('Type of the private key'),
};

const caaName = z.string().meta({ pattern: zonePattern });

/** The CA's names in DNS records, as one text or a list. Parsed to lower case, without repeats. */
export const caaIdentity = z
  .union([caaName, z.array(caaName).meta({ minItems: 1 })], {
    error: ({ input }) => `is ${describeInput(input)}; write a domain name of the CA, or a list of them`,
  })
  .transform((input, context): readonly string[] => {
    const texts = typeof input === 'string' ? [input] : input;
    const names = texts.flatMap((text, index) => {
      const parsed = parseName(text);
      if ('name' in parsed && !parsed.name.startsWith('*.')) return [parsed.name];
      const message =
        'name' in parsed ? `is a wildcard; write ${withoutWildcard(parsed.name)}` : parsed.problem;
      context.addIssue({ code: 'custom', path: typeof input === 'string' ? [] : [index], message });
      return [];
    });
    if (texts.length === 0)
      context.addIssue({
        code: 'custom',
        message: 'is empty; write a domain name, or leave out caaIdentity',
      });
    return [...new Set(names)];
  });
