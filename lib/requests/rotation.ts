// The field of a request to `issue` that asks for a new key of an issuer's account.
import * as z from 'zod';

/** The schema of an issuer's name. Whether the inventory has it is seen later. */
export const rotationField = z
  .string('must be the name of an issuer, such as "default"')
  .min(1)
  .max(200, 'is too long for the name of an issuer');

/** Reports a request that asks for a new account key and for something else. `dryRun` may go with it. */
export function checkRotation(
  request: Readonly<Record<string, unknown>>,
  context: z.core.$RefinementCtx,
): void {
  const { rotateAccountKey, dryRun: _, ...others } = request;
  if (rotateAccountKey === undefined) return;
  if (Object.values(others).every((value) => value === undefined)) return;
  const message =
    '"rotateAccountKey" is about the account of one issuer; leave out the other fields but "dryRun"';
  context.addIssue({ code: 'custom', message });
}
