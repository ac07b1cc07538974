// Revokes a certificate (RFC 8555 §7.6), signed by the account or by the certificate's own key.
import { createPrivateKey } from 'node:crypto';
import type HttpClient from 'acme-client/src/http.js';
import { type RevocationReason, reasonCodes } from '../../certificate/revocation.ts';
import { parseCertificate } from '../../certificate/x509.ts';
import { AcmeError } from '../../ports/acme.ts';
import type { Signature, Transport } from './transport.ts';

/** The account that revokes. */
export interface Revoker {
  readonly transport: Transport;
  /** Signs with the account's key. */
  readonly signer: HttpClient;
  /** URL of the account, the `kid` of the signature. */
  readonly accountUrl: string;
}

/** Revokes the leaf of a PEM chain; `key` is the leaf's private key as PEM. Signs with the certificate's key
 *  if the CA answers `unauthorized` to the account. Does nothing if the certificate is revoked already.
 *  @throws AcmeError `Unsupported` if the CA does not revoke; else as `Transport.post`. */
export async function revokeCertificate(
  certificate: { readonly chain: string; readonly key: string },
  reason: RevocationReason,
  { transport, signer, accountUrl }: Revoker,
  signal: AbortSignal,
): Promise<void> {
  const payload = {
    certificate: parseCertificate(certificate.chain).raw.toString('base64url'),
    reason: reasonCodes[reason],
  };
  const url = await transport.urlOf('revokeCert', signal);
  const send = (by: Signature) => transport.post(url, payload, by, signal);
  try {
    await send({ signer, kid: accountUrl });
  } catch (error) {
    if (isProblem(error, 'alreadyRevoked')) return;
    if (!isProblem(error, 'unauthorized')) throw error;
    // Another account ordered an imported certificate, or one from before the account was replaced.
    await send({ signer: transport.signer(createPrivateKey(certificate.key)) }).catch((refused: unknown) => {
      if (!isProblem(refused, 'alreadyRevoked')) throw refused;
    });
  }
}

function isProblem(error: unknown, type: string): boolean {
  return error instanceof AcmeError && error.problem?.type === type;
}
