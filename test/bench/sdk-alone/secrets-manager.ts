// The bundle that a cold start is measured against: AWS's client for Secrets Manager and nothing else.
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';

export * from '@aws-sdk/client-secrets-manager';

/** Makes it a function for the build; nobody calls it. */
export const handler = (): SecretsManagerClient => new SecretsManagerClient();
