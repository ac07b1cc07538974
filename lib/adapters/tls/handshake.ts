// Makes a TLS handshake with a server and reads the certificate that it presents.
import type { X509Certificate } from 'node:crypto';
import { isIPv6 } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { UnparsableError } from '../../certificate/der.ts';
import { readCertificate } from '../../certificate/x509.ts';
import type { HandshakeOutcome } from '../../policy/serving/handshake.ts';
import type { HandshakeRequest, ShakeHands } from '../../ports/probe.ts';
import { familyOptions } from './key-families.ts';

/** Error codes for an IPv6 address on a machine without IPv6, such as a Lambda function outside a VPC. */
const noIpv6Codes: ReadonlySet<string | undefined> = new Set([
  'ENETUNREACH',
  'EADDRNOTAVAIL',
  'EAFNOSUPPORT',
]);

/** Part of an outcome: a server took the connection and ended it. */
const refused = { isRefused: true } as const;

/** `ShakeHands` over TCP. A handshake that takes longer than `timeoutMs` milliseconds is over, even if the
 *  server keeps sending. */
export function createShakeHands({ timeoutMs }: { readonly timeoutMs: number }): ShakeHands {
  return async (request, signal) => {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<HandshakeOutcome>();
    const socket = connect(optionsOf(request));
    const shown = watchCertificate(socket);
    /** Ends with the certificate where the server has shown one, with the problem otherwise. */
    const fail = (failure: Exclude<HandshakeOutcome, { kind: 'leaf' | 'unlooked' }>) => {
      const leaf = shown.beforeEnd();
      if (!leaf) return resolve(failure);
      const remark = `then the handshake failed (${failure.problem}), as with a server that demands a client certificate`;
      resolve(readLeaf(leaf, remark));
    };
    const timer = setTimeout(() => {
      fail({ kind: 'silent', problem: `no TLS handshake within ${timeoutMs / 1000} s` });
    }, timeoutMs);
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    let isConnected = false;
    socket.once('connect', () => {
      isConnected = true;
    });
    // Never removed: a server may hang up later, and an error without a listener ends the process.
    socket.on('error', (error) => fail(readFailure(error, request.address, isConnected)));
    socket.once('close', () =>
      fail({ kind: 'silent', problem: 'hung up during the TLS handshake', ...(isConnected && refused) }),
    );
    socket.once('secureConnect', () => {
      const leaf = shown.atEnd();
      resolve(leaf ? readLeaf(leaf) : { kind: 'silent', problem: 'a TLS handshake without a certificate' });
    });
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', abort);
      socket.destroy();
    }
  };
}

function optionsOf({ address, port, name, keyFamily, protocols }: HandshakeRequest): ConnectionOptions {
  return {
    host: address,
    port,
    servername: name,
    // Any certificate is read: whether clients trust it is not judged here.
    rejectUnauthorized: false,
    ...(keyFamily && familyOptions[keyFamily]),
    ...(protocols && { ALPNProtocols: [...protocols] }),
  };
}

/** Takes the certificate as soon as the server has proved that it has the key. A TLS 1.2 server that demands
 *  a client certificate ends the handshake after that, and Node then keeps nothing of it.
 *  Node tells by "keylog" when the secrets of a connection are made: in TLS 1.2 after ServerHelloDone
 *  (RFC 5246 §7.4.5), in TLS 1.3 after the server's Finished. The secrets themselves are dropped. */
function watchCertificate(socket: TLSSocket): {
  /** What a failed handshake has shown; `undefined` if the server did not prove that it has the key. */
  readonly beforeEnd: () => X509Certificate | undefined;
  /** What a complete handshake has shown. */
  readonly atEnd: () => X509Certificate | undefined;
} {
  let leaf: X509Certificate | undefined;
  let isProved = false;
  // Node gives the certificate once for each connection, and `undefined` after that.
  const take = () => {
    leaf ??= socket.getPeerX509Certificate();
    return leaf;
  };
  socket.on('keylog', () => {
    if (leaf || !take()) return;
    // Absent where the key exchange has no signature: then only the server's Finished proves anything.
    const cipher: { readonly standardName: string } | undefined = socket.getCipher();
    isProved = cipher !== undefined && !cipher.standardName.startsWith('TLS_RSA_WITH_');
  });
  return { beforeEnd: () => (isProved ? leaf : undefined), atEnd: take };
}

function readLeaf(certificate: X509Certificate, problem?: string): HandshakeOutcome {
  try {
    const { fingerprint, names, notAfter, keyType } = readCertificate(certificate.raw);
    const isAlone = !certificate.issuerCertificate && certificate.issuer !== certificate.subject;
    const remarks = [isAlone ? 'no intermediate certificate comes with it' : undefined, problem];
    const remark = remarks.filter((text) => text !== undefined).join('; ');
    return { kind: 'leaf', fingerprint, names, notAfter, keyType, ...(remark && { remark }) };
  } catch (error) {
    // Whatever it is, a server has sent it: an error here would end the process.
    const problem = error instanceof UnparsableError ? error.message : 'a certificate that cannot be read';
    return { kind: 'silent', problem: `served ${problem}` };
  }
}

function readFailure(
  { code, message }: NodeJS.ErrnoException,
  address: string,
  isConnected: boolean,
): Exclude<HandshakeOutcome, { kind: 'leaf' | 'unlooked' }> {
  if (isIPv6(address) && noIpv6Codes.has(code)) {
    return { kind: 'unprobed', problem: `this machine has no way to IPv6 addresses (${code})` };
  }
  const isNameRefused = code?.endsWith('UNRECOGNIZED_NAME') ?? false;
  const problem = isNameRefused ? `the server knows no such name (${code})` : (code ?? message);
  return { kind: 'silent', problem, ...(isConnected && refused) };
}
