// Says who is to blame for a failed order, if that fails many certificates at once.
import { AcmeError } from '../ports/acme.ts';
import { DnsError } from '../ports/dns.ts';
import { StoreError } from '../ports/store.ts';
import type { OrderingPorts } from './invocation.ts';

/** Problem types (RFC 8555 §6.7) about the CA itself or our account there. The others are about the names,
 *  the key or the limits of one certificate: `unauthorized` may be about an account, too, but then connecting
 *  to the CA fails. */
const typesOfIssuer: readonly string[] = [
  'accountDoesNotExist',
  'badNonce',
  'badPublicKey',
  'badSignatureAlgorithm',
  'externalAccountRequired',
  'invalidContact',
  'serverInternal',
  'unsupportedContact',
  'userActionRequired',
];

/** Knows which errors came from connecting to a CA: those fail every order there. */
export class Blame {
  readonly #connecting = new WeakSet<Error>();

  /** `connect`, whose errors are remembered. */
  watch(connect: OrderingPorts['connect']): OrderingPorts['connect'] {
    return async (...issuer) => {
      try {
        return await connect(...issuer);
      } catch (error) {
        if (error instanceof Error) this.#connecting.add(error);
        throw error;
      }
    };
  }

  /** What causes the error for many certificates: `function/issue` (our rights, or AWS), or `issuer/<name>`
   *  (the CA, or our account there). `undefined`: the certificate itself.
   *  @param issuer Key of `Inventory.issuers`. */
  causeOf(error: Error, issuer?: string): string | undefined {
    if (isAboutAws(error)) return 'function/issue';
    const isAboutIssuer = this.#connecting.has(error) || isAboutCa(error);
    return isAboutIssuer && issuer !== undefined ? `issuer/${issuer}` : undefined;
  }
}

function isAboutAws(error: Error): boolean {
  if (!(error instanceof StoreError || error instanceof DnsError)) return false;
  return error.code === 'Denied' || error.code === 'Throttled';
}

function isAboutCa(error: Error): boolean {
  if (!(error instanceof AcmeError)) return false;
  switch (error.code) {
    case 'Unreachable':
    case 'Malformed':
      return true;
    case 'Problem':
      return typesOfIssuer.includes(error.problem?.type ?? '') || (error.problem?.status ?? 0) >= 500;
    // What became of one order; a profile or a challenge that the certificate asks for.
    case 'Invalid':
    case 'Unsupported':
      return false;
  }
}
