// A cluster in which no older statement takes the place of a later one: each Secret remembers what it was made by.
import type { DeliveryStatement } from '../certificate/statement.ts';
import type { Cluster } from '../cluster-ports.ts';
import { ClusterError } from '../errors.ts';
import { type ClusterSecret, certificateAnnotation } from '../policy/cluster-objects.ts';

/** Annotation of a Secret that an agent wrote: `<notBefore of the leaf>/<when its statement was signed>`. It is the only
 *  memory that nobody outside the cluster can turn back. */
export const statementAnnotation = 'certrelay.dev/statement';

/** The cluster, with the check before a Secret is changed or deleted, and the memory in each that is written.
 *  @param statementOf Of a certificate, by its name. */
export function guardCluster(
  cluster: Cluster,
  statementOf: (certificate: string) => DeliveryStatement | undefined,
): Cluster {
  const check = (namespace: string, name: string, found: ClusterSecret, certificate: string | undefined) => {
    const statement = statementOf(certificate ?? '');
    const problem = statement && findReplay(found, statement);
    if (problem === undefined) return statement;
    throw new ClusterError('Replayed', `Secret ${namespace}/${name} is left as it is: ${problem}`);
  };
  return {
    ...cluster,
    async readSecret(namespace, name, signal) {
      const found = await cluster.readSecret(namespace, name, signal);
      return found && hideMemory(found);
    },
    async listSecrets(namespace, signal) {
      const listed = await cluster.listSecrets(namespace, signal);
      return listed.map(({ name, secret }) => ({ name, secret: hideMemory(secret) }));
    },
    async applySecret(manifest, options, signal) {
      const { namespace, name, annotations } = manifest;
      const certificate = annotations[certificateAnnotation];
      const statement = options.over
        ? check(namespace, name, options.over, certificate)
        : statementOf(certificate ?? '');
      if (!statement || options.manager !== 'certrelay')
        return cluster.applySecret(manifest, options, signal);
      const memory = `${statement.notBefore.toISOString()}/${statement.signedAt.toISOString()}`;
      const remembering = { ...annotations, [statementAnnotation]: memory };
      return cluster.applySecret({ ...manifest, annotations: remembering }, options, signal);
    },
    async deleteSecret(namespace, name, over, signal) {
      check(namespace, name, over, over.annotations[certificateAnnotation]);
      await cluster.deleteSecret(namespace, name, over, signal);
    },
  };
}

/** The story does not know of the memory, and would take it away as something that is no longer wanted. */
function hideMemory(secret: ClusterSecret): ClusterSecret {
  const annotations = secret.owned.annotations.filter((key) => key !== statementAnnotation);
  return { ...secret, owned: { ...secret.owned, annotations } };
}

/** Why a statement must not be followed; `undefined` where it may. */
function findReplay({ annotations }: ClusterSecret, statement: DeliveryStatement): string | undefined {
  if (annotations[certificateAnnotation] !== statement.certificate) return undefined;
  if (annotations['certrelay.dev/version'] === statement.version) return undefined;
  const [notBefore = '', signedAt = ''] = (annotations[statementAnnotation] ?? '').split('/');
  const signed = statement.signedAt.toISOString();
  // Text that is no instant compares false: there is nothing to go by then.
  if (statement.signedAt <= new Date(signedAt)) {
    return `what was signed at ${signed} comes after what was signed at ${signedAt}; somebody sends an old statement again`;
  }
  if (statement.notBefore < new Date(notBefore) && !statement.isRollback) {
    return `the certificate is older than the one it holds (valid from ${notBefore}), and is not marked as a rollback`;
  }
  return undefined;
}
