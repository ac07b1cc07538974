// Opens TLS to an address and looks at the certificate that is served there.
import { isIPv6 } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { UnparsableError } from '../../certificate/der.ts';
import { readCertificate } from '../../certificate/x509.ts';
import type { HandshakeOutcome } from '../../policy/serving/served.ts';
import type { ShakeHands } from '../../ports/probe.ts';

/** What this machine says of IPv6 where it has no way out by it, as a Lambda function outside a VPC. */
const withoutEgress: ReadonlySet<string | undefined> = new Set([
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
]);

/** @param timeoutMs How long one handshake may take from the first packet on, however slowly the server talks. */
export function createShakeHands({ timeoutMs }: { readonly timeoutMs: number }): ShakeHands {
  return async ({ address, port, name }, signal) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<HandshakeOutcome>();
    // Whatever is served is looked at; whether it can be trusted is for visitors to say.
    const socket = connect({ host: address, port, servername: name, rejectUnauthorized: false });
    const timer = setTimeout(() => {
      resolve({ kind: 'silent', problem: `no TLS handshake within ${timeoutMs / 1000} s` });
    }, timeoutMs);
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    // Stays to the end: a server may hang up after the handshake, and an error that nobody hears would end the process.
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(readFailure(error, address)));
    socket.once('close', () => resolve({ kind: 'silent', problem: 'hung up during the TLS handshake' }));
    socket.once('secureConnect', () => resolve(readLeaf(socket)));
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
    }
  };
}

function readLeaf(socket: TLSSocket): HandshakeOutcome {
  const certificate = socket.getPeerX509Certificate();
  if (!certificate) return { kind: 'silent', problem: 'a TLS handshake without a certificate' };
  try {
    const { fingerprint, names, notAfter } = readCertificate(certificate.raw);
    return { kind: 'leaf', fingerprint, names, notAfter };
  } catch (error) {
    if (!(error instanceof UnparsableError)) throw error;
    return { kind: 'silent', problem: `served ${error.message}` };
  }
}

function readFailure({ code, message }: NodeJS.ErrnoException, address: string): HandshakeOutcome {
  if (isIPv6(address) && withoutEgress.has(code)) {
    return { kind: 'unprobed', problem: `this machine has no way to IPv6 addresses (${code})` };
  }
  return { kind: 'silent', problem: code ?? message };
}
