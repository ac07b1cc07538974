// Delivery statements: `issue` signs for each agent which version of a certificate to deliver. Ed25519 (RFC
// 8032).
import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** Says that one version of a certificate is to be delivered in one cluster. */
export interface DeliveryStatement {
  /** Key of `Inventory.clusters`. */
  readonly cluster: string;
  /** The certificate's name, and the version id of its AWS secret. */
  readonly certificate: string;
  readonly version: string;
  /** SHA-256 of the leaf's DER, hex. */
  readonly fingerprint: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Of two statements about the same certificate and cluster the later one is valid. */
  readonly signedAt: Date;
  /** Whether the version deliberately replaces a newer one. */
  readonly isRollback: boolean;
  /** Hash of what a registered certificate's targets may do in the cluster (`permissionsKey`). Absent: the
   *  agent's own inventory decides. */
  readonly targets?: string | undefined;
}

/** The part of a statement that its text contains. The certificate itself has the rest. */
export type StatementSummary = Pick<
  DeliveryStatement,
  'version' | 'notBefore' | 'signedAt' | 'isRollback' | 'targets'
>;

/** Why a statement is not accepted.
 *  - `Unsigned`: there is no readable statement.
 *  - `OtherVersion`: it is about another version.
 *  - `BadSignature`: no trusted key signed it for this cluster, certificate and content.
 *  - `OtherTargets`: it is about other targets, or about none. */
export type StatementProblem = 'Unsigned' | 'OtherVersion' | 'BadSignature' | 'OtherTargets';

/** The signed statement as text of at most 254 characters:
 *  `<version>/<notBefore>/<signedAt>/<renewal or rollback>/<targets>/<signature>`. `<targets>/` is left out
 *  if absent.
 *  @param privateKey PEM of an Ed25519 key. */
export function signStatement(statement: DeliveryStatement, privateKey: string): string {
  const signature = sign(null, signedBytes(statement), createPrivateKey(privateKey)).toString('base64url');
  const { version, notBefore, signedAt, isRollback, targets } = statement;
  return [
    version,
    notBefore.toISOString(),
    signedAt.toISOString(),
    isRollback ? 'rollback' : 'renewal',
    ...(targets === undefined ? [] : [targets]),
    signature,
  ].join('/');
}

/** What the text claims, without a check of its signature; `undefined` if it is no statement. */
export function readStatement(text: string | undefined): StatementSummary | undefined {
  return readClaim(text)?.summary;
}

/** When a statement was made and the leaf that it is about began: invalid dates, which compare false with any
 *  other, where the text does not say. `version`: absent where the text is no whole statement. */
export interface StatementTimes {
  readonly version?: string;
  readonly notBefore: Date;
  readonly signedAt: Date;
}

/** The times of a statement's text, or of `<notBefore>/<signedAt>`, which earlier agents have written
 *  alone. */
export function readStatementTimes(text = ''): StatementTimes {
  const [notBefore = '', signedAt = ''] = text.split('/');
  return readStatement(text) ?? { notBefore: new Date(notBefore), signedAt: new Date(signedAt) };
}

/** The statement, if one of the keys has signed it for exactly this content. Content without `targets`
 *  accepts any.
 *  @param publicKeys As `publicKeyOf` returns them. */
export function verifyStatement(
  text: string | undefined,
  content: Omit<DeliveryStatement, 'signedAt' | 'isRollback'>,
  publicKeys: readonly string[],
):
  | { readonly ok: true; readonly statement: DeliveryStatement }
  | { readonly ok: false; readonly problem: StatementProblem } {
  const claim = readClaim(text);
  if (!claim) return { ok: false, problem: 'Unsigned' };
  if (claim.summary.version !== content.version) return { ok: false, problem: 'OtherVersion' };
  const { signedAt, isRollback, targets } = claim.summary;
  const statement = { ...content, signedAt, isRollback, targets };
  const isSigned = publicKeys.some((key) =>
    verify(null, signedBytes(statement), importPublicKey(key), claim.signature),
  );
  if (!isSigned) return { ok: false, problem: 'BadSignature' };
  const isSame = content.targets === undefined || content.targets === targets;
  return isSame ? { ok: true, statement } : { ok: false, problem: 'OtherTargets' };
}

/** The public key of a private Ed25519 key (PEM): base64url of its 32 bytes, 43 characters. */
export function publicKeyOf(privateKey: string): string {
  return createPublicKey(createPrivateKey(privateKey)).export({ format: 'jwk' }).x ?? '';
}

/** Whether a text has the form that `publicKeyOf` returns. */
export function isPublicKey(text: string): boolean {
  return /^[A-Za-z0-9_-]{43}$/.test(text);
}

/** A first line that names the form, then JSON with its keys in this order; without `targets` if that is
 *  absent. */
function signedBytes(statement: DeliveryStatement): Buffer {
  const { cluster, certificate, version, fingerprint, notBefore, notAfter, signedAt, isRollback } = statement;
  const { targets } = statement;
  const validity = { notBefore, notAfter };
  const content = { cluster, certificate, version, fingerprint, ...validity, signedAt, isRollback, targets };
  return Buffer.from(`certrelay-delivery-v1\n${JSON.stringify(content)}`);
}

const form =
  /^(?<version>[\w-]{1,64})\/(?<notBefore>[^/]+)\/(?<signedAt>[^/]+)\/(?<kind>renewal|rollback)(?:\/(?<targets>[\w-]{43}))?\/(?<signature>[\w-]{86})$/;

function readClaim(
  text = '',
): { readonly summary: StatementSummary; readonly signature: Buffer } | undefined {
  const { version, notBefore = '', signedAt = '', kind, targets, signature } = form.exec(text)?.groups ?? {};
  const [from, at] = [new Date(notBefore), new Date(signedAt)];
  if (version === undefined || signature === undefined || !isReal(from) || !isReal(at)) return undefined;
  const summary = { version, notBefore: from, signedAt: at, isRollback: kind === 'rollback', targets };
  return { summary, signature: Buffer.from(signature, 'base64url') };
}

function isReal(instant: Date): boolean {
  return !Number.isNaN(instant.getTime());
}

function importPublicKey(x: string): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
}
