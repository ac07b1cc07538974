// The clients of AWS that `certrelay check` looks with: the rights are the caller's own.
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { STSClient } from '@aws-sdk/client-sts';
import type { Credentials } from '../../../lib/adapters/aws/signed-post.ts';
import { type AskedService, canAsk, configFor, findEndpoint } from '../connection.ts';
import type { CalledPlace } from '../place.ts';

/** What the checks look with. */
export interface CheckedAws {
  /** Name of the stack. */
  readonly stack: string;
  readonly lambda: LambdaClient;
  readonly cloudFormation: CloudFormationClient;
  readonly secretsManager: SecretsManagerClient;
  readonly sts: STSClient;
  /** Credentials of the caller. */
  readonly identify: () => Promise<Credentials>;
  /** URL of SNS; absent: AWS's own. */
  readonly snsEndpoint: string | undefined;
  /** Aborted when a person cancels, or after the longest time for one look. */
  readonly signalOf: () => AbortSignal;
  /** Whether a service can be asked: beside an endpoint of Lambda alone, AWS's own services are those of
   *  another account. */
  readonly canAsk: (service: AskedService) => boolean;
  readonly close: () => void;
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Milliseconds for one look. */
const mostMs = 20_000;

/** Opens the clients. @param signal Aborted when a person cancels. */
export async function connectAws(
  place: CalledPlace,
  env: Environment,
  signal: AbortSignal,
): Promise<CheckedAws> {
  const configOf = (service: AskedService) => configFor(service, place, env);
  const lambda = new LambdaClient(await configOf('LAMBDA'));
  const clients = {
    lambda,
    cloudFormation: new CloudFormationClient(await configOf('CLOUDFORMATION')),
    secretsManager: new SecretsManagerClient(await configOf('SECRETS_MANAGER')),
    sts: new STSClient(await configOf('STS')),
  };
  return {
    ...clients,
    stack: place.stack,
    identify: () => lambda.config.credentials(),
    snsEndpoint: findEndpoint('SNS', place, env),
    signalOf: () => AbortSignal.any([signal, AbortSignal.timeout(mostMs)]),
    canAsk: (service) => canAsk(service, place, env),
    close: () => {
      for (const client of Object.values(clients)) client.destroy();
    },
  };
}
