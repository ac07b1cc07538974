// Parses the event of the import function: what to import, from where, and how.
import * as z from 'zod';
import { nameField, orEmpty, parseFields } from './fields.ts';

/** The parsed event of `import`.
 *  @throws ConfigError `Event` that names each field that is unknown or wrong. */
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
    selfSigned: z.boolean().optional(),
    account: z
      .strictObject({
        issuer: z.string().min(1),
        secret: awsSecret.optional(),
        from: clusterSecret.optional(),
        replace: z.boolean().optional(),
      })
      .refine(({ secret, from }) => (secret === undefined) !== (from === undefined), {
        message: 'set either "secret" (an AWS secret) or "from" (a Secret in a cluster)',
      })
      .optional(),
  })
  .refine(
    ({ certificate, from, account }) => ((certificate ?? from) === undefined) !== (account === undefined),
    {
      message: 'set either "certificate" (or "from") or "account"',
    },
  )
  .refine(({ certificate, secret }) => secret === undefined || certificate !== undefined, {
    message: '"secret" needs "certificate"; for an account, set "account.secret"',
  })
  .refine(({ secret, from }) => secret === undefined || from === undefined, {
    message: 'set only one of "secret" (an AWS secret) and "from" (a Secret in a cluster)',
  })
  .refine(
    ({ from, issuer, toolNamespace, takeOver, dryRun }) =>
      from !== undefined || (issuer ?? toolNamespace ?? takeOver ?? dryRun) === undefined,
    { message: '"issuer", "toolNamespace", "takeOver" and "dryRun" need "from"' },
  )
  .refine(({ account, selfSigned }) => account === undefined || selfSigned === undefined, {
    message: '"selfSigned" is for certificates; leave it out for an "account"',
  });

/** A request to `import`: a certificate, from the AWS secret `secret` or the Kubernetes Secret `from`; or an
 *  issuer's ACME account. */
export type ImportRequest = z.infer<typeof importRequest>;
