// The bundle that a cold start is measured against: AWS's client for Secrets Manager and nothing else.
import { ListSecretsCommand, SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

export * from '@aws-sdk/client-secrets-manager';

/** One page of the list: what a pass that finds nothing due cannot do without. */
export async function handler(): Promise<void> {
  await new SecretsManagerClient().send(new ListSecretsCommand());
}
