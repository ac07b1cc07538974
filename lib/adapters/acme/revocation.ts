// Revocation (RFC 8555 §7.6): signed by the account, or by the certificate's own key where another account ordered it.
import { createPrivateKey } from 'node:crypto';
import type HttpClient from 'acme-client/src/http.js';
import { type RevocationReason, reasonCodes } from '../../certificate/revocation.ts';
import { parseCertificate } from '../../certificate/x509.ts';
import { AcmeError } from '../../ports/acme.ts';
import type { Signature, Transport } from './transport.ts';

/** Who asks: `accountUrl` is the `kid` of the signer's key. */
export interface Revoker {
  readonly transport: Transport;
  readonly signer: HttpClient;
  readonly accountUrl: string;
}

/** Revokes the leaf of a chain; `key` is its private key, PEM. Done already is done. @throws AcmeError. */
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
    // Imported certificates, and those of an account that was replaced: whoever holds the key may revoke.
    await send({ signer: transport.signer(createPrivateKey(certificate.key)) }).catch((refused: unknown) => {
      if (!isProblem(refused, 'alreadyRevoked')) throw refused;
    });
  }
}

function isProblem(error: unknown, type: string): boolean {
  return error instanceof AcmeError && error.problem?.type === type;
}
