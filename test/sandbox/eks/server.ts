// EKS for the sandbox: DescribeCluster over its REST protocol, and access entries that say which role is
// which user.
import { type Answer, type Part, type Request, type Surroundings, serve } from '../http-server.ts';
import { readSignature } from '../principal.ts';
import { ownAccount, type Sessions } from '../sts/sessions.ts';
import { identifyToken } from './authenticator.ts';

export interface EksClusterOptions {
  readonly name: string;
  readonly region: string;
  /** The own one where absent. */
  readonly account?: string;
  /** User names by the ARN of the role. */
  readonly accessEntries: Readonly<Record<string, string>>;
}

export interface EksCluster {
  /** For `KubernetesOptions.authenticate`. */
  readonly authenticate: (token: string) => string | undefined;
  /** From now on it is ACTIVE and this is its API server. */
  publish(kubernetes: { readonly server: string; readonly caPem: string }): void;
}

export interface SandboxEks {
  /** For `AWS_ENDPOINT_URL_EKS`. */
  readonly url: string;
  /** A cluster that is CREATING. */
  createCluster(options: EksClusterOptions): EksCluster;
  stop(): Promise<void>;
}

interface Kept extends Required<EksClusterOptions> {
  readonly arn: string;
  endpoint?: { readonly server: string; readonly caPem: string };
}

/** @param now Milliseconds since the epoch; the real clock where absent. */
export async function startEks(
  sessions: Sessions,
  surroundings: Surroundings,
  now: () => number = Date.now,
): Promise<SandboxEks> {
  const clusters: Kept[] = [];

  function handle({ method, url, headers }: Request): Answer {
    const caller = sessions.identify(headers);
    if ('code' in caller) return refuse('UnrecognizedClientException', 403, caller.message);
    const signature = readSignature(headers.authorization);
    if (signature?.service !== 'eks') {
      return refuse(
        'InvalidSignatureException',
        403,
        "Credential should be scoped to correct service: 'eks'.",
      );
    }
    const name = nameIn(url);
    if (method !== 'GET' || name === undefined) return refuse('NotFoundException', 404, 'no such route');
    const found = clusters.find(
      (cluster) =>
        cluster.name === name && cluster.region === signature.region && cluster.account === caller.account,
    );
    if (!found) return refuse('ResourceNotFoundException', 404, `No cluster found for name: ${name}.`);
    return json(200, { cluster: describe(found) });
  }

  const part: Part = {
    service: 'eks',
    describe({ url, headers }) {
      const name = nameIn(url);
      if (name === undefined) return undefined;
      const caller = sessions.identify(headers);
      const { account, principal } = 'code' in caller ? { account: '', principal: 'unknown' } : caller;
      const region = readSignature(headers.authorization)?.region ?? '';
      return { action: 'DescribeCluster', resource: arnOf(region, account, name), principal };
    },
    handle,
    refuse,
    denials: {
      denied: { code: 'AccessDeniedException', status: 403 },
      unknown: { code: 'UnrecognizedClientException', status: 403 },
    },
  };
  const server = await serve(part, surroundings);
  return {
    url: server.url,
    createCluster(options) {
      const { name, region, account = ownAccount } = options;
      const kept: Kept = { ...options, account, arn: arnOf(region, account, name) };
      clusters.push(kept);
      return {
        authenticate(token) {
          const { arn = '' } = identifyToken(token, name, sessions, now()) ?? {};
          const [, of, role] = /^arn:aws:sts::(\d+):assumed-role\/([^/]+)\//.exec(arn) ?? [];
          return options.accessEntries[`arn:aws:iam::${of}:role/${role}`];
        },
        publish: (endpoint) => {
          kept.endpoint = endpoint;
        },
      };
    },
    stop: () => server.stop(),
  };
}

function describe({ name, arn, endpoint }: Kept): object {
  const always = { name, arn, version: '1.35', platformVersion: 'eks.1', tags: {} };
  if (!endpoint) return { ...always, status: 'CREATING', certificateAuthority: {} };
  const data = Buffer.from(endpoint.caPem).toString('base64');
  return { ...always, status: 'ACTIVE', endpoint: endpoint.server, certificateAuthority: { data } };
}

function nameIn({ pathname }: URL): string | undefined {
  return /^\/clusters\/([^/]+)$/.exec(pathname)?.[1];
}

function arnOf(region: string, account: string, name: string): string {
  return `arn:aws:eks:${region}:${account}:cluster/${name}`;
}

function refuse(code: string, status: number, message: string): Answer {
  return json(status, { message }, { 'x-amzn-errortype': code });
}

function json(status: number, body: object, headers: Readonly<Record<string, string>> = {}): Answer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, body: JSON.stringify(body) };
}
