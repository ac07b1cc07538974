// Replay protection: an agent's Secrets remember the signed statements they were written by, in annotations
// that nobody outside the cluster can change. An older statement is refused.
import {
  type DeliveryStatement,
  readStatement,
  readStatementTimes,
  type StatementTimes,
} from '../certificate/statement.ts';
import {
  type ClusterSecret,
  certificateAnnotation,
  versionAnnotation,
} from '../policy/kubernetes/objects.ts';

/** A verified statement. */
export interface SignedStatement extends DeliveryStatement {
  /** Its text with the signature. */
  readonly text: string;
}

/** Annotation with the text of the last statement that was followed, even if its version was rolled back
 *  since. Earlier agents wrote only `<notBefore of the leaf>/<signedAt>`. */
export const statementAnnotation = 'certrelay.dev/statement';

/** Annotation with the text of the statement for the previous version, to which the Secret can be rolled
 *  back. */
export const rollbackAnnotation = 'certrelay.dev/return-statement';

type Annotations = ClusterSecret['annotations'];

/** The Secret as the deploy story sees it: our two annotations are not among `owned`, or the story would
 *  remove them. If the Secret's statement is outdated, it stays among them, so that the story writes the
 *  Secret again. */
export function hideMemory(secret: ClusterSecret, statement: SignedStatement | undefined): ClusterSecret {
  const isBehind = statement !== undefined && isOutdated(secret, statement);
  const others = secret.owned.annotations.filter(
    (key) => key !== statementAnnotation && key !== rollbackAnnotation,
  );
  const annotations = isBehind ? [...others, statementAnnotation] : others;
  return { ...secret, owned: { ...secret.owned, annotations } };
}

/** The annotations to write with a Secret while `statement` is followed.
 *  @param over The existing Secret; `undefined` if there is none. */
export function remember(statement: SignedStatement, over: ClusterSecret | undefined): Annotations {
  const before = over?.annotations ?? {};
  const isOf = before[certificateAnnotation] === statement.certificate;
  const actual = isOf ? before[versionAnnotation] : undefined;
  const previous = actual === statement.version ? before[rollbackAnnotation] : findStatement(before, actual);
  const isEarlier = isOf && statement.signedAt < readTimes(before).signedAt;
  return {
    [statementAnnotation]: (isEarlier ? before[statementAnnotation] : undefined) ?? statement.text,
    ...(previous === undefined ? {} : { [rollbackAnnotation]: previous }),
  };
}

/** The text of the remembered statement about the version; `undefined` if neither annotation is about it. */
export function findStatement(annotations: Annotations, version: string | undefined): string | undefined {
  const texts = [annotations[statementAnnotation], annotations[rollbackAnnotation]];
  return version === undefined ? undefined : texts.find((text) => readStatement(text)?.version === version);
}

/** Why the statement must not be followed for the Secret, as the end of a message; `undefined` if it may.
 *  It is refused if it was signed before the remembered one, or if its certificate is older without being
 *  a rollback. */
export function findReplay(
  { annotations }: Pick<ClusterSecret, 'annotations'>,
  statement: DeliveryStatement,
): string | undefined {
  if (annotations[certificateAnnotation] !== statement.certificate) return undefined;
  if (annotations[versionAnnotation] === statement.version) return undefined;
  const { version, notBefore, signedAt } = readTimes(annotations);
  // The same statement again: its version was rolled back and is now resumed.
  const isSame = version === statement.version && !(statement.signedAt < signedAt);
  if (statement.signedAt <= signedAt && !isSame) {
    return `its statement was signed at ${statement.signedAt.toISOString()}, but the Secret has followed one signed at ${signedAt.toISOString()}; somebody sends an old statement again`;
  }
  if (statement.notBefore < notBefore && !statement.isRollback) {
    return `the certificate is older than the one in the Secret (valid from ${notBefore.toISOString()}), and its statement is not a rollback`;
  }
  return undefined;
}

/** Whether the Secret has the statement's version, but remembers an earlier statement about it: it was
 *  signed again, or an earlier agent wrote only the times. */
function isOutdated({ annotations }: ClusterSecret, statement: SignedStatement): boolean {
  const text = annotations[statementAnnotation];
  if (text === undefined || text === statement.text) return false;
  if (annotations[certificateAnnotation] !== statement.certificate) return false;
  if (annotations[versionAnnotation] !== statement.version) return false;
  return !(statement.signedAt < readTimes(annotations).signedAt);
}

/** Version and times of the last statement that was followed. */
function readTimes(annotations: Annotations): StatementTimes {
  return readStatementTimes(annotations[statementAnnotation]);
}
