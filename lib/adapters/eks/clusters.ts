// Finds the API server of an EKS cluster, and signs in with an IAM role.
import { X509Certificate } from 'node:crypto';
import { DescribeClusterCommand, EKSClient, type EKSClientConfig } from '@aws-sdk/client-eks';
import type { STSClientConfig } from '@aws-sdk/client-sts';
import type { PromiseCache } from '../../async/promise-cache.ts';
import type { EksSpec } from '../../certificate/cluster-spec.ts';
import type { Clock } from '../../ports/clock.ts';
import { type ClusterAccess, ClusterError, type ClusterErrorCode } from '../../ports/cluster.ts';
import { readAwsFailure } from '../aws/failure.ts';
import { awsTimeouts } from '../aws/timeouts.ts';
import { type Identity, makeToken } from './token.ts';

/** Where an EKS cluster's API server is. */
export interface EksDescription {
  /** `https` URL without a slash at the end. */
  readonly server: string;
  /** PEM certificate of the authority that its certificate is from. */
  readonly ca: string;
}

/** Which cluster, and how AWS is reached. */
export interface EksOptions {
  /** Name of the cluster in the inventory, for messages. */
  readonly name: string;
  readonly spec: EksSpec;
  /** Remembers descriptions of clusters; a process needs only one. */
  readonly memory: PromiseCache<EksDescription>;
  /** Name of the role's session, which CloudTrail shows. */
  readonly sessionName: string;
  readonly clock: Clock;
  /** Overrides what the SDK reads from the environment (credentials, endpoint). */
  readonly config?: EKSClientConfig;
  /** The same for STS, which serves the role. */
  readonly stsConfig?: STSClientConfig;
}

/** The access to one cluster. `again` forgets the remembered description: for a server that is not the
 *  described one.
 *  @throws ClusterError `SignInFailed`; `Unavailable` if EKS or STS does not answer; `Malformed`. */
export type OpenEks = (signal: AbortSignal, again?: 'again') => Promise<ClusterAccess>;

/** Reaches one EKS cluster. The first call opens a connection to AWS. */
export function openEks(options: EksOptions): OpenEks {
  const { name, spec, memory, clock } = options;
  const { region, roleArn } = spec;
  const client = new EKSClient({ region, ...options.config });
  const identify = identifyBy(options, client);
  const stsHost = findStsHost(client, region);
  const token = makeToken({ cluster: spec.name, region, stsHost, clock, identify });
  const key = JSON.stringify([region, spec.name, roleArn]);
  return async (signal, again) => {
    if (again) memory.forget(key);
    const described = await memory.get(key, () => describe(options, identify, signal));
    const role = roleArn ?? "the function's IAM role";
    return {
      ...described,
      token,
      origin: 'EKS',
      onRefusal: `cluster ${name} does not know ${role}: give it an access entry in the EKS cluster ${spec.name}, with a user name that a RoleBinding names (npm run rbac)`,
    };
  };
}

/** Host of STS in a region of any partition, e.g. `sts.cn-north-1.amazonaws.com.cn`. The endpoint rules of
 *  EKS, which are loaded already, have the same DNS suffix for each partition as those of STS. */
export function findStsHost({ config }: EKSClient, region: string): string {
  const { url } = config.endpointProvider({ Region: region, UseDualStack: false, UseFIPS: false });
  return url.host.replace(/^eks\./, 'sts.');
}

/** Returns the function's own credentials, or those of the role. The STS client is loaded only for a role. */
function identifyBy({ name, spec, sessionName, clock, stsConfig }: EksOptions, client: EKSClient) {
  const { roleArn } = spec;
  if (roleArn === undefined) {
    return async (): Promise<Identity> =>
      client.config.credentials().catch((cause: unknown) => {
        const message = `there are no AWS credentials to sign in to cluster ${name} with`;
        throw new ClusterError('SignInFailed', message, { cause });
      });
  }
  const opening = import('../aws/role-session.ts').then(
    ({ RoleSession }) =>
      new RoleSession({
        roleArn,
        namedAt: `clusters.${name}.eks`,
        sessionName,
        clock,
        config: stsConfig,
        fail: (code, message, cause) =>
          new ClusterError(code === 'Denied' ? 'SignInFailed' : 'Unavailable', message, cause),
      }),
  );
  return async (signal: AbortSignal): Promise<Identity> => (await opening).credentials(signal);
}

/** Timeout of EKS and STS for one description, over all attempts. */
const describeMs = 40_000;
/** Longest URL of an API server, in characters. */
const mostUrl = 2_048;

async function describe(
  { name, spec, config }: EksOptions,
  identify: (signal: AbortSignal) => Promise<Identity>,
  signal: AbortSignal,
): Promise<EksDescription> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(describeMs)]);
  const credentials = await identify(limited);
  const client = new EKSClient({ region: spec.region, requestHandler: awsTimeouts, ...config, credentials });
  try {
    const { cluster } = await client.send(new DescribeClusterCommand({ name: spec.name }), {
      abortSignal: limited,
    });
    const { endpoint, certificateAuthority, status } = cluster ?? {};
    if (endpoint !== undefined && certificateAuthority?.data !== undefined) {
      return readDescription(endpoint, certificateAuthority.data, spec);
    }
    throw new ClusterError(
      'Unavailable',
      `the EKS cluster ${spec.name} is ${status}: it has no endpoint yet`,
    );
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof ClusterError ? error : translate(error, name, spec);
  } finally {
    client.destroy();
  }
}

/** Checks a description before a token is sent to its server.
 *  @throws ClusterError `Malformed` */
function readDescription(endpoint: string, authority: string, { name }: EksSpec): EksDescription {
  const ca = Buffer.from(authority, 'base64').toString('utf8');
  const isUrl = endpoint.length <= mostUrl && URL.parse(endpoint)?.protocol === 'https:';
  if (isUrl && isCertificate(ca)) return { server: endpoint.replace(/\/{0,8}$/, ''), ca };
  const fault = isUrl ? 'authority that is no PEM certificate' : 'endpoint that is no https URL';
  throw new ClusterError('Malformed', `EKS gives the cluster ${name} an ${fault}`);
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function translate(error: unknown, name: string, spec: EksSpec): ClusterError {
  const failure = readAwsFailure(error);
  const cluster = `the EKS cluster ${spec.name} in ${spec.region}`;
  const fail = (as: ClusterErrorCode, message: string) =>
    new ClusterError(as, message, { cause: failure.cause });
  if (failure.kind === 'missing') {
    return fail('SignInFailed', `${cluster} does not exist: correct clusters.${name}.eks`);
  }
  if (failure.kind === 'denied') {
    const role = spec.roleArn ?? 'the role of deploy (run serverless deploy after a change of clusters)';
    return fail('SignInFailed', `AWS denied eks:DescribeCluster on ${cluster}: allow it to ${role}`);
  }
  return fail('Unavailable', `${cluster} could not be described (${failure.name})`);
}
