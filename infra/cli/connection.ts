// How AWS is reached with the credentials of whoever runs a command.
import { LambdaClient } from '@aws-sdk/client-lambda';
import { type CalledPlace, defaultRegion } from './place.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Services that commands ask, as the AWS SDK names them in `AWS_ENDPOINT_URL_…`. */
export type AskedService =
  | 'CLOUDFORMATION'
  | 'CLOUDWATCH_LOGS'
  | 'LAMBDA'
  | 'SECRETS_MANAGER'
  | 'SNS'
  | 'STS';

/** What AWS clients take. What is absent the SDK finds as the AWS CLI does. */
export interface AwsConnection {
  readonly region: string;
  readonly endpoint?: string;
  readonly credentials?: SetCredentials;
}

/** Credentials as AWS clients take them. */
export interface SetCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** Region, endpoint of Lambda and credentials. Without a region in the options, the environment and the
 *  profile, that of serverless.yml counts. */
export async function findConnection(place: CalledPlace, env: Environment): Promise<AwsConnection> {
  return { ...reach(place, env), region: place.region ?? (await findRegion(place, env)) };
}

/** What a client of the service takes, as `findConnection` and the environment say. */
export async function configFor(
  service: AskedService,
  place: CalledPlace,
  env: Environment,
): Promise<AwsConnection & { readonly maxAttempts: number }> {
  const { endpoint: _, ...connection } = await findConnection(place, env);
  const endpoint = findEndpoint(service, place, env);
  return { ...connection, ...(endpoint === undefined ? {} : { endpoint }), maxAttempts: 2 };
}

async function findRegion(place: CalledPlace, env: Environment): Promise<string> {
  const client = new LambdaClient(reach(place, env));
  try {
    return await client.config.region();
  } catch {
    return defaultRegion;
  } finally {
    client.destroy();
  }
}

function reach({ endpoint }: CalledPlace, env: Environment): Omit<AwsConnection, 'region'> {
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const isSet = Boolean(accessKeyId && secretAccessKey);
  // The sandbox looks at the access key alone, and it is nobody's account.
  const isOwnMachine = endpoint !== undefined && isLoopback(endpoint) && !isSet && !env.AWS_PROFILE;
  return {
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(isOwnMachine
      ? { credentials: { accessKeyId: 'AKIASANDBOXOPERATOR', secretAccessKey: 'sandbox' } }
      : {}),
    ...(isSet && accessKeyId && secretAccessKey && !env.AWS_PROFILE
      ? { credentials: { accessKeyId, secretAccessKey, ...token(env.AWS_SESSION_TOKEN) } }
      : {}),
  };
}

function token(sessionToken: string | undefined) {
  return sessionToken ? { sessionToken } : {};
}

function isLoopback(endpoint: string): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].includes(new URL(endpoint).hostname);
}

/** URL of a service; absent: AWS's own. */
export function findEndpoint(
  service: AskedService,
  place: CalledPlace,
  env: Environment,
): string | undefined {
  if (service === 'LAMBDA') return place.endpoint;
  return env[`AWS_ENDPOINT_URL_${service}`] || env.AWS_ENDPOINT_URL || undefined;
}

/** Whether a service can be asked: beside an endpoint of Lambda alone, AWS's own services are those of
 *  another account. */
export function canAsk(service: AskedService, place: CalledPlace, env: Environment): boolean {
  return place.endpoint === undefined || findEndpoint(service, place, env) !== undefined;
}

/** Why a service cannot be asked. */
export function describeMissing(service: AskedService): string {
  return `--endpoint-url is that of Lambda alone; set AWS_ENDPOINT_URL_${service}, too, if there is one`;
}
