// Wraps a cluster so that an agent refuses replays: no Secret is changed by an older statement than the one
// it remembers, nor gets a version that is not signed.

import {
  type ClusterSecret,
  certificateAnnotation,
  versionAnnotation,
} from '../policy/kubernetes/objects.ts';
import { type Cluster, ClusterError } from '../ports/cluster.ts';
import { findReplay, hideMemory, remember, type SignedStatement } from './replay.ts';
import type { RollbackGuard } from './rollback-guard.ts';

/** The cluster with these checks: before a Secret is changed or deleted, its remembered statement is
 *  compared; each Secret that is written gets the statement it was written by. Reads hide those annotations.
 *  Writing and deleting throw ClusterError `Replayed` if the statement or the version is refused.
 *  @param statementOf The verified statement of a certificate, by name.
 *  @param rollbackGuard Which Secrets may get an earlier version back. */
export function guardCluster(
  cluster: Cluster,
  statementOf: (certificate: string) => SignedStatement | undefined,
  rollbackGuard: Pick<RollbackGuard, 'isPermitted'>,
): Cluster {
  const statementFor = (annotations: Readonly<Record<string, string>>) =>
    statementOf(annotations[certificateAnnotation] ?? '');
  const hide = (secret: ClusterSecret) => hideMemory(secret, statementFor(secret.annotations));
  const refuse = (namespace: string, name: string, problem: string | undefined) => {
    if (problem === undefined) return;
    throw new ClusterError('Replayed', `Secret ${namespace}/${name} was not changed: ${problem}`);
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
      const statement = statementFor(annotations);
      if (over && statement) refuse(namespace, name, findReplay(over, statement));
      if (!statement || manager !== 'certrelay') return cluster.applySecret(manifest, options, signal);
      const version = annotations[versionAnnotation] ?? '';
      if (version !== statement.version && !rollbackGuard.isPermitted(namespace, name, version)) {
        refuse(namespace, name, `version ${version} is not the one that is signed now`);
      }
      const withMemory = { ...annotations, ...remember(statement, over) };
      return cluster.applySecret({ ...manifest, annotations: withMemory }, options, signal);
    },
    async deleteSecret(namespace, name, over, signal) {
      const statement = statementFor(over.annotations);
      if (statement) refuse(namespace, name, findReplay(over, statement));
      await cluster.deleteSecret(namespace, name, over, signal);
    },
  };
}
