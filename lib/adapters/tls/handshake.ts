// Makes a TLS handshake with a server and reads the certificate that it presents.
import { isIPv6 } from 'node:net';
import { connect, type TLSSocket } from 'node:tls';
import { UnparsableError } from '../../certificate/der.ts';
import { readCertificate } from '../../certificate/x509.ts';
import type { HandshakeOutcome } from '../../policy/serving/served.ts';
import type { ShakeHands } from '../../ports/probe.ts';

/** Error codes for an IPv6 address on a machine without IPv6, such as a Lambda function outside a VPC. */
const noIpv6Codes: ReadonlySet<string | undefined> = new Set([
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
]);

/** `ShakeHands` over TCP. A handshake that takes longer than `timeoutMs` milliseconds is `silent`, even if
 *  the server keeps sending. */
export function createShakeHands({ timeoutMs }: { readonly timeoutMs: number }): ShakeHands {
  return async ({ address, port, name }, signal) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<HandshakeOutcome>();
    // Any certificate is read: whether clients trust it is not judged here.
    const socket = connect({ host: address, port, servername: name, rejectUnauthorized: false });
    const timer = setTimeout(() => {
      resolve({ kind: 'silent', problem: `no TLS handshake within ${timeoutMs / 1000} s` });
    }, timeoutMs);
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    // Never removed: a server may hang up later, and an error without a listener ends the process.
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
  if (isIPv6(address) && noIpv6Codes.has(code)) {
    return { kind: 'unprobed', problem: `this machine has no way to IPv6 addresses (${code})` };
  }
  return { kind: 'silent', problem: code ?? message };
}
