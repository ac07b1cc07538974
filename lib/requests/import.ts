// The event that import is called with, parsed: where what is imported lies, and what becomes of it.
import * as z from 'zod';
import { nameField, orEmpty, parseFields } from './fields.ts';

/** @throws ConfigError `Event`. */
export function parseImportEvent(event: unknown): ImportRequest {
  return parseFields(importRequest, orEmpty(event));
}

const awsSecret = z.string().min(1).max(2048);

const clusterSecret = z.strictObject({
  cluster: z.string().min(1),
  namespace: z.string().min(1),
  secret: z.string().min(1),
});

const importRequest = z
  .strictObject({
    certificate: nameField.optional(),
    secret: awsSecret.optional(),
    from: clusterSecret.optional(),
    issuer: z.string().min(1).optional(),
    toolNamespace: z.string().min(1).optional(),
    takeOver: z.boolean().optional(),
    dryRun: z.boolean().optional(),
    account: z
      .strictObject({
        issuer: z.string().min(1),
        secret: awsSecret.optional(),
        from: clusterSecret.optional(),
        replace: z.boolean().optional(),
      })
      .refine(({ secret, from }) => (secret === undefined) !== (from === undefined), {
        message: 'name either the AWS secret ("secret") or the Secret in a cluster ("from")',
      })
      .optional(),
  })
  .refine(
    ({ certificate, from, account }) => ((certificate ?? from) === undefined) !== (account === undefined),
    {
      message: 'name either a "certificate" or an "account"',
    },
  )
  .refine(({ certificate, secret }) => secret === undefined || certificate !== undefined, {
    message: '"secret" belongs to "certificate"; an account has one of its own',
  })
  .refine(({ secret, from }) => secret === undefined || from === undefined, {
    message: 'name one place: an AWS secret ("secret") or a Secret in a cluster ("from")',
  })
  .refine(
    ({ from, issuer, toolNamespace, takeOver, dryRun }) =>
      from !== undefined || (issuer ?? toolNamespace ?? takeOver ?? dryRun) === undefined,
    { message: '"issuer", "toolNamespace", "takeOver" and "dryRun" belong to "from"' },
  );

/** What `import` is asked: a certificate, from the AWS secret `secret` or from the cluster Secret `from`, or an issuer's ACME
 *  account. */
export type ImportRequest = z.infer<typeof importRequest>;
