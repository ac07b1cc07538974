// Finds AWS credentials as the SDK's clients do.
import { SQSClient } from '@aws-sdk/client-sqs';

/** Credentials of the function's role that are valid now. A later call may give newer ones. */
export function findCredentials(): () => ReturnType<SQSClient['config']['credentials']> {
  const client = new SQSClient({});
  return () => client.config.credentials();
}
