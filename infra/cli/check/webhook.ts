// The secret that senders to the webhook sign with.
import { DescribeSecretCommand } from '@aws-sdk/client-secrets-manager';
import { describeMissing } from '../connection.ts';
import type { CheckedAws } from './aws.ts';
import { type CheckedPart, fine, lookAt, unseen, wrong } from './part.ts';

/** Whether the secret is there. Its value is not read.
 *  @param prefix First part of the names of AWS secrets.
 *  @param isUsed Whether the inventory lets the webhook take any request. */
export async function checkWebhook(
  { secretsManager, signalOf, canAsk }: CheckedAws,
  prefix: string,
  isUsed: () => Promise<boolean>,
): Promise<CheckedPart> {
  const part = 'webhook';
  const name = `${prefix}/webhook`;
  if (!canAsk('SECRETS_MANAGER')) return unseen(part, describeMissing('SECRETS_MANAGER'));
  const looked = await lookAt(part, `secretsmanager:DescribeSecret on ${name}`, async () => {
    try {
      const command = new DescribeSecretCommand({ SecretId: name });
      return await secretsManager.send(command, { abortSignal: signalOf() });
    } catch (error) {
      if (error instanceof Error && error.name === 'ResourceNotFoundException') return undefined;
      throw error;
    }
  });
  if ('unseen' in looked) return looked.unseen;
  const { seen } = looked;
  if (!seen) {
    if (!(await isUsed()))
      return fine(part, `there is no AWS secret ${name}, and the inventory has no registration`);
    const advice = 'deploy with --param="webhookSecret=made", or create it (docs/webhook.md)';
    return wrong(part, `there is no AWS secret ${name}, so every request is refused: ${advice}`);
  }
  if (seen.DeletedDate) {
    const advice = `aws secretsmanager restore-secret --secret-id ${name}`;
    return wrong(part, `the AWS secret ${name} is being deleted, so every request is refused: ${advice}`);
  }
  const labels = Object.values(seen.VersionIdsToStages ?? {}).flat();
  if (!labels.includes('AWSCURRENT'))
    return wrong(
      part,
      `the AWS secret ${name} has no value, so every request is refused: put one (docs/webhook.md)`,
    );
  return fine(part, `the AWS secret ${name} has a value`);
}
