// What a Secret that an agent wrote remembers: the statement that was followed last, and that of the version before. Nobody
// outside the cluster can turn it back.
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

/** A statement that was verified, and the text of it that bears the signature. */
export interface SignedStatement extends DeliveryStatement {
  readonly text: string;
}

/** Annotation with the text of the statement that was followed last, also where its version was taken back since. Earlier
 *  agents have written `<notBefore of the leaf>/<when it was signed>` alone. */
export const statementAnnotation = 'certrelay.dev/statement';

/** Annotation with the text of the statement by which the Secret had the version that it can go back to. */
export const returnAnnotation = 'certrelay.dev/return-statement';

type Annotations = ClusterSecret['annotations'];

/** The Secret without its memory: the story does not know of that, and would take it away as something that is no longer
 *  wanted. What is to be written anew does look like that, so that the story writes the Secret. */
export function hideMemory(secret: ClusterSecret, statement: SignedStatement | undefined): ClusterSecret {
  const isBehind = statement !== undefined && isOutdated(secret, statement);
  const others = secret.owned.annotations.filter(
    (key) => key !== statementAnnotation && key !== returnAnnotation,
  );
  const annotations = isBehind ? [...others, statementAnnotation] : others;
  return { ...secret, owned: { ...secret.owned, annotations } };
}

/** What a Secret is to remember that is written while a statement is followed.
 *  @param over The Secret that is written over, if there is one. */
export function remember(statement: SignedStatement, over: ClusterSecret | undefined): Annotations {
  const before = over?.annotations ?? {};
  const isOf = before[certificateAnnotation] === statement.certificate;
  const held = isOf ? before[versionAnnotation] : undefined;
  const back = held === statement.version ? before[returnAnnotation] : findStatement(before, held);
  const isEarlier = isOf && statement.signedAt < readTimes(before).signedAt;
  return {
    [statementAnnotation]: (isEarlier ? before[statementAnnotation] : undefined) ?? statement.text,
    ...(back === undefined ? {} : { [returnAnnotation]: back }),
  };
}

/** The text of the remembered statement about a version. */
export function findStatement(annotations: Annotations, version: string | undefined): string | undefined {
  const texts = [annotations[statementAnnotation], annotations[returnAnnotation]];
  return version === undefined ? undefined : texts.find((text) => readStatement(text)?.version === version);
}

/** Why a statement must not be followed, as the end of a sentence; `undefined` where it may. */
export function findReplay({ annotations }: ClusterSecret, statement: DeliveryStatement): string | undefined {
  if (annotations[certificateAnnotation] !== statement.certificate) return undefined;
  if (annotations[versionAnnotation] === statement.version) return undefined;
  const { version, notBefore, signedAt } = readTimes(annotations);
  // The same one again: its version was taken back, and is resumed.
  const isSame = version === statement.version && !(statement.signedAt < signedAt);
  if (statement.signedAt <= signedAt && !isSame) {
    return `what was signed at ${statement.signedAt.toISOString()} comes after what was signed at ${signedAt.toISOString()}; somebody sends an old statement again`;
  }
  if (statement.notBefore < notBefore && !statement.isRollback) {
    return `the certificate is older than the one it holds (valid from ${notBefore.toISOString()}), and is not marked as a rollback`;
  }
  return undefined;
}

/** Whether a Secret has the version by an earlier statement than the one of now: it was signed anew, or an earlier agent
 *  has written only the times. */
function isOutdated({ annotations }: ClusterSecret, statement: SignedStatement): boolean {
  const text = annotations[statementAnnotation];
  if (text === undefined || text === statement.text) return false;
  if (annotations[certificateAnnotation] !== statement.certificate) return false;
  if (annotations[versionAnnotation] !== statement.version) return false;
  return !(statement.signedAt < readTimes(annotations).signedAt);
}

/** What the annotation says of the statement that was followed last. */
function readTimes(annotations: Annotations): StatementTimes {
  return readStatementTimes(annotations[statementAnnotation]);
}
