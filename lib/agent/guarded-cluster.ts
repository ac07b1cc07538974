// A cluster in which no older statement takes the place of a later one, and no version that of the stated one: each Secret
// remembers what it was made by.

import {
  type ClusterSecret,
  certificateAnnotation,
  versionAnnotation,
} from '../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../ports/cluster.ts';
import { findReplay, hideMemory, remember, type SignedStatement } from './memory.ts';
import type { Returns } from './returns.ts';

/** The cluster, with the check before a Secret is changed or deleted, and the memory in each that is written.
 *  @param statementOf Of a certificate, by its name.
 *  @param returns What may be written although another version is stated. */
export function guardCluster(
  cluster: Cluster,
  statementOf: (certificate: string) => SignedStatement | undefined,
  returns: Pick<Returns, 'isPermitted'>,
): Cluster {
  const stated = (annotations: Readonly<Record<string, string>>) =>
    statementOf(annotations[certificateAnnotation] ?? '');
  const hide = (secret: ClusterSecret) => hideMemory(secret, stated(secret.annotations));
  const refuse = (namespace: string, name: string, problem: string | undefined) => {
    if (problem === undefined) return;
    throw new ClusterError('Replayed', `Secret ${namespace}/${name} is left as it is: ${problem}`);
  };
  return {
    ...cluster,
    async readSecret(namespace, name, signal) {
      const found = await cluster.readSecret(namespace, name, signal);
      return found && hide(found);
    },
    async listSecrets(namespace, signal) {
      const listed = await cluster.listSecrets(namespace, signal);
      return listed.map(({ name, secret }) => ({ name, secret: hide(secret) }));
    },
    async applySecret(manifest, options, signal) {
      const { namespace, name, annotations } = manifest;
      const { manager, over } = options;
      const statement = stated(annotations);
      if (over && statement) refuse(namespace, name, findReplay(over, statement));
      if (!statement || manager !== 'certrelay') return cluster.applySecret(manifest, options, signal);
      const version = annotations[versionAnnotation] ?? '';
      if (version !== statement.version && !returns.isPermitted(namespace, name, version)) {
        refuse(namespace, name, `version ${version} is not the one that is signed for now`);
      }
      const remembering = { ...annotations, ...remember(statement, over) };
      return cluster.applySecret({ ...manifest, annotations: remembering }, options, signal);
    },
    async deleteSecret(namespace, name, over, signal) {
      const statement = stated(over.annotations);
      if (statement) refuse(namespace, name, findReplay(over, statement));
      await cluster.deleteSecret(namespace, name, over, signal);
    },
  };
}
