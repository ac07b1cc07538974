// Clusters of EKS: where their API servers are, and the sign-in by an IAM role.
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

/** What EKS says of a cluster: URL, and PEM of the authority. */
export interface EksDescription {
  readonly server: string;
  readonly ca: string;
}

export interface EksOptions {
  /** The inventory's name of the cluster, for messages. */
  readonly name: string;
  readonly spec: EksSpec;
  /** What was described before; a process needs no more than one. */
  readonly memory: PromiseCache<EksDescription>;
  /** Names the session of the role. */
  readonly sessionName: string;
  readonly clock: Clock;
  /** Beside what the environment says (credentials, endpoint). */
  readonly config?: EKSClientConfig;
  readonly stsConfig?: STSClientConfig;
}

/** Gives the access to one cluster. After a server that is not the described one, `again` asks EKS anew. Fails with
 *  ClusterError `SignInFailed`, or `Unavailable` where EKS or STS cannot be asked now. */
export type OpenEks = (signal: AbortSignal, again?: 'again') => Promise<ClusterAccess>;

/** Opens no connection before the first question. */
export function openEks(options: EksOptions): OpenEks {
  const { name, spec, memory, clock } = options;
  const { region, roleArn } = spec;
  const identify = identifyBy(options);
  const token = makeToken({ cluster: spec.name, region, clock, identify });
  const key = JSON.stringify([region, spec.name, roleArn]);
  return async (signal, again) => {
    if (again) memory.forget(key);
    const described = await memory.get(key, () => describe(options, identify, signal));
    const who = roleArn ?? "the function's IAM role";
    return {
      ...described,
      token,
      origin: 'EKS',
      onRefusal: `cluster ${name} does not know ${who}: give it an access entry in the EKS cluster ${spec.name}, with a user name that a RoleBinding names (npm run rbac)`,
    };
  };
}

/** The function's own credentials, or those of the role. STS is loaded where there is a role. */
function identifyBy({ name, spec, sessionName, clock, config, stsConfig }: EksOptions) {
  const { roleArn, region } = spec;
  if (roleArn === undefined) {
    const client = new EKSClient({ region, ...config });
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

/** How long EKS and STS may take to say where a cluster is, all attempts together. */
const describeMs = 40_000;
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

/** The token goes to whoever is there. @throws ClusterError `Malformed` */
function readDescription(endpoint: string, authority: string, { name }: EksSpec): EksDescription {
  const ca = Buffer.from(authority, 'base64').toString('utf8');
  const isUrl = endpoint.length <= mostUrl && URL.parse(endpoint)?.protocol === 'https:';
  if (isUrl && isCertificate(ca)) return { server: endpoint.replace(/\/{0,8}$/, ''), ca };
  const what = isUrl ? 'authority that is no PEM certificate' : 'endpoint that is no https URL';
  throw new ClusterError('Malformed', `EKS gives the cluster ${name} an ${what}`);
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
  const what = `the EKS cluster ${spec.name} in ${spec.region}`;
  const fail = (as: ClusterErrorCode, message: string) =>
    new ClusterError(as, message, { cause: failure.cause });
  if (failure.kind === 'missing') {
    return fail('SignInFailed', `${what} does not exist: correct clusters.${name}.eks`);
  }
  if (failure.kind === 'denied') {
    const who = spec.roleArn ?? 'the role of deploy, which a deploy after the change of clusters sees to';
    return fail('SignInFailed', `AWS denied eks:DescribeCluster on ${what}: allow it to ${who}`);
  }
  return fail('Unavailable', `${what} could not be described (${failure.name})`);
}
