// TLS as a visitor sees it: who is served under a name, and whether the CA's roots vouch for it.
import { once } from 'node:events';
import { type ConnectionOptions, connect, createServer, type TLSSocket } from 'node:tls';

/** Where to connect, and whom to trust. */
export interface Visit extends Pick<ConnectionOptions, 'maxVersion' | 'ciphers'> {
  readonly port: number;
  /** Sent as SNI; the certificate must cover it. */
  readonly name: string;
  /** PEM of the only roots that are trusted. */
  readonly roots: string;
}

/** A connection to 127.0.0.1 after its handshake. The caller destroys it.
 *  @throws Error where the served chain does not lead to the roots, or its leaf does not cover the name. */
export async function shakeHands({ name, roots, ...rest }: Visit): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', servername: name, ca: roots, ...rest });
  await once(socket, 'secureConnect');
  return socket;
}

/** SHA-256 of the leaf that is served, lower-case hex.
 *  @throws Error as `shakeHands`. */
export async function servedFingerprint(visit: Visit): Promise<string> {
  const socket = await shakeHands(visit);
  const fingerprint = socket.getPeerX509Certificate()?.fingerprint256 ?? '';
  socket.destroy();
  return fingerprint.replaceAll(':', '').toLowerCase();
}

/** Serves a chain with its key for as long as `visit` takes, and gives what it gives.
 *  @throws Error where OpenSSL refuses one of them, or the key is not the leaf's. */
export async function whileServing<T>(
  pair: { readonly chain: string; readonly key: string },
  visit: (port: number) => Promise<T>,
): Promise<T> {
  const server = createServer({ cert: pair.chain, key: pair.key }, (socket) =>
    socket.on('error', () => undefined),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  try {
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('a listener without a port');
    return await visit(address.port);
  } finally {
    server.close();
  }
}
