// Decides whether an agent may roll a Secret back: only to a version that the Secret had by a signed
// statement, and only for a failure that the agent has seen in its own cluster. Tags are never a reason.
import type { SecretTarget } from '../certificate/spec.ts';
import { readStatement, type StatementProblem, verifyStatement } from '../certificate/statement.ts';
import { nameTarget } from '../policy/delivery/secret-plan.ts';
import {
  type ClusterSecret,
  certificateAnnotation,
  versionAnnotation,
} from '../policy/kubernetes/objects.ts';
import { AgentError } from '../ports/agents.ts';
import type { JudgeRollback, RollbackQuestion } from '../ports/cluster.ts';
import { findStatement, rollbackAnnotation } from './replay.ts';

/** Checks the rollbacks of one pass, and remembers which it has permitted. */
export class RollbackGuard {
  readonly #cluster: string;
  readonly #publicKeys: readonly string[];
  readonly #permitted = new Set<string>();

  constructor({ cluster, publicKeys }: { readonly cluster: string; readonly publicKeys: readonly string[] }) {
    this.#cluster = cluster;
    this.#publicKeys = publicKeys;
  }

  /** Returns why a Secret must not be rolled back, or permits it and returns `undefined`.
   *  `Unsigned`, `OtherVersion`, `BadSignature`: the Secret remembers no signed statement for just this
   *  version.
   *  `Unseen`: the agent has not seen the current version fail in this Secret. */
  readonly judge: JudgeRollback = async (question, cluster, signal) => {
    const { namespace, secret } = question.target;
    const found = await cluster.readSecret(namespace, secret, signal);
    const { certificate, version } = question.delivery;
    const isOf = found?.annotations[certificateAnnotation] === certificate;
    const problem = this.#verify(question, isOf ? found : undefined);
    if (problem) return problem;
    if (!question.isSeen && found?.annotations[versionAnnotation] !== version) {
      const message = `an agent rolls back only what it sees fail itself: to get ${version} back, move AWSCURRENT to it, and issue signs that as a rollback`;
      return new AgentError('Unseen', message);
    }
    this.#permitted.add(`${namespace}/${secret}/${version}`);
    return undefined;
  };

  /** Whether `judge` has permitted the version for the Secret in this pass. */
  isPermitted(namespace: string, secret: string, version: string): boolean {
    return this.#permitted.has(`${namespace}/${secret}/${version}`);
  }

  /** Verifies the remembered statement for the version with the certificate that AWS has under that
   *  version now. */
  #verify({ target, delivery }: RollbackQuestion, found: ClusterSecret | undefined): AgentError | undefined {
    const { certificate, version, fingerprint, notAfter } = delivery;
    const annotations = found?.annotations ?? {};
    const text = findStatement(annotations, version) ?? annotations[rollbackAnnotation] ?? '';
    const statement = readStatement(text);
    // `notBefore` need not be compared: the fingerprint covers the whole leaf.
    const notBefore = statement?.notBefore ?? notAfter;
    const content = { cluster: this.#cluster, certificate, version, fingerprint, notBefore, notAfter };
    const verified = verifyStatement(text, content, this.#publicKeys);
    if (verified.ok) return undefined;
    const { problem } = verified;
    return new AgentError(problem, this.#explain(problem, target, version, statement?.version));
  }

  #explain(problem: StatementProblem, target: SecretTarget, version: string, before?: string): string {
    const secret = nameTarget(target);
    switch (problem) {
      case 'Unsigned':
        return `Secret ${secret} has no signed statement of a previous version`;
      case 'OtherVersion':
        return `the previous version of Secret ${secret} was ${before}, not ${version}`;
      case 'BadSignature':
      case 'OtherTargets':
        return `no key of CERTRELAY_SIGNING_KEY has signed ${version} for cluster ${this.#cluster}: it was changed, or is for another cluster, or the key was replaced since`;
    }
  }
}
