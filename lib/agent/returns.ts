// Decides whether an agent puts the version before back in a Secret: only one that this Secret had by a signed statement, and
// only for a failure that the agent has seen in its own cluster. What tags say is no reason.
import type { SecretTarget } from '../certificate/spec.ts';
import { readStatement, type StatementProblem, verifyStatement } from '../certificate/statement.ts';
import { nameTarget } from '../policy/delivery/secret.ts';
import {
  type ClusterSecret,
  certificateAnnotation,
  versionAnnotation,
} from '../policy/kubernetes/objects.ts';
import { AgentError } from '../ports/agents.ts';
import type { JudgeReturn, ReturnQuestion } from '../ports/cluster.ts';
import { findStatement, returnAnnotation } from './memory.ts';

/** One pass long: what was permitted is remembered. */
export class Returns {
  readonly #cluster: string;
  readonly #publicKeys: readonly string[];
  readonly #permitted = new Set<string>();

  constructor({ cluster, publicKeys }: { readonly cluster: string; readonly publicKeys: readonly string[] }) {
    this.#cluster = cluster;
    this.#publicKeys = publicKeys;
  }

  readonly judge: JudgeReturn = async (question, cluster, signal) => {
    const { namespace, secret } = question.target;
    const found = await cluster.readSecret(namespace, secret, signal);
    const { certificate, version } = question.delivery;
    const isOf = found?.annotations[certificateAnnotation] === certificate;
    const problem = this.#verify(question, isOf ? found : undefined);
    if (problem) return problem;
    if (!question.isSeen && found?.annotations[versionAnnotation] !== version) {
      const message = `an agent takes back only what it sees fail itself: for ${version}, move AWSCURRENT to it, which issue signs as a rollback`;
      return new AgentError('Unseen', message);
    }
    this.#permitted.add(`${namespace}/${secret}/${version}`);
    return undefined;
  };

  /** Whether a Secret may have a version back. */
  isPermitted(namespace: string, secret: string, version: string): boolean {
    return this.#permitted.has(`${namespace}/${secret}/${version}`);
  }

  /** Whether the statement by which the Secret had the version verifies for what AWS now gives as that. */
  #verify({ target, delivery }: ReturnQuestion, found: ClusterSecret | undefined): AgentError | undefined {
    const { certificate, version, fingerprint, notAfter } = delivery;
    const annotations = found?.annotations ?? {};
    const text = findStatement(annotations, version) ?? annotations[returnAnnotation] ?? '';
    const stated = readStatement(text);
    // The fingerprint is of the whole leaf, `notBefore` too.
    const notBefore = stated?.notBefore ?? notAfter;
    const content = { cluster: this.#cluster, certificate, version, fingerprint, notBefore, notAfter };
    const verdict = verifyStatement(text, content, this.#publicKeys);
    if (verdict.ok) return undefined;
    return new AgentError(verdict.problem, this.#explain(verdict.problem, target, version, stated?.version));
  }

  #explain(problem: StatementProblem, target: SecretTarget, version: string, before?: string): string {
    const secret = nameTarget(target);
    switch (problem) {
      case 'Unsigned':
        return `Secret ${secret} keeps no signed statement of a version before`;
      case 'OtherVersion':
        return `Secret ${secret} had ${before} before, and not ${version}`;
      case 'BadSignature':
      case 'OtherTargets':
        return `${version} is not what a key of CERTRELAY_SIGNING_KEY has signed for cluster ${this.#cluster}: it was tampered with, or is meant for another cluster, or the key was exchanged since`;
    }
  }
}
