// The sandbox's clusters that are of EKS: each with an API server of its own, entered by IAM roles.
import type { EksSpec } from '../../../lib/certificate/cluster-spec.ts';
import type { Surroundings } from '../http-server.ts';
import { type SandboxKubernetes, startKubernetes } from '../kubernetes/server.ts';
import { ownAccount, type Sessions } from '../sts/sessions.ts';
import { startEks } from './server.ts';

export interface EksClusters {
  /** For `AWS_ENDPOINT_URL_EKS`. */
  readonly url: string;
  /** In the order in which they were given. */
  readonly clusters: readonly SandboxKubernetes[];
  stop(): Promise<void>;
}

/** Clusters by the inventory's names. Those that deploy, discover and import enter in their own names are in
 *  their account. The user is `certrelay`; `namespaces` and `manifests` are there from the start. */
export async function startEksClusters(
  specs: Readonly<Record<string, EksSpec>>,
  sessions: Sessions,
  content: { readonly namespaces: readonly string[]; readonly manifests: string },
  surroundings: Surroundings,
): Promise<EksClusters> {
  const eks = await startEks(sessions, surroundings);
  const servers = await Promise.all(
    Object.values(specs).map(async ({ name, region, roleArn }) => {
      const roles =
        roleArn === undefined
          ? ['deploy', 'discover', 'import'].map((role) => `arn:aws:iam::${ownAccount}:role/${role}`)
          : [roleArn];
      const cluster = eks.createCluster({
        name,
        region,
        account: roleArn?.split(':')[4] ?? ownAccount,
        accessEntries: Object.fromEntries(roles.map((role) => [role, 'certrelay'])),
      });
      const { authenticate } = cluster;
      const kubernetes = await startKubernetes({ name, authenticate, ...content }, surroundings);
      cluster.publish(kubernetes);
      return kubernetes;
    }),
  );
  return {
    url: eks.url,
    clusters: servers,
    async stop() {
      await Promise.all([eks, ...servers].map((part) => part.stop()));
    },
  };
}
