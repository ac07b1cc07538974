// A TLS server on this machine that serves a certificate, and another one when told to.
import { once } from 'node:events';
import { createServer, type SecureContextOptions, type TLSSocket, type TlsOptions } from 'node:tls';

export interface Pair {
  readonly chain: string;
  readonly key: string;
}

export interface TlsServer {
  readonly port: number;
  /** Names that visitors have sent as SNI, in their order. */
  readonly asked: readonly string[];
  /** Serves another certificate, or others, from the next visitor on. */
  serve(pairs: Pair | readonly Pair[]): void;
  stop(): Promise<void>;
}

/** Listens on a free port; `undefined` where this machine has no such address.
 *  @param pairs One certificate, or several with keys of different types: OpenSSL chooses by what a visitor
 *  offers.
 *  @param greet What is done with a visitor after the handshake; nothing where absent. */
export async function serveTls(
  pairs: Pair | readonly Pair[],
  host = '127.0.0.1',
  greet: (socket: TLSSocket) => void = () => undefined,
  options: Pick<TlsOptions, 'maxVersion' | 'minVersion' | 'requestCert' | 'ciphers'> = {},
): Promise<TlsServer | undefined> {
  const asked: string[] = [];
  const sockets = new Set<TLSSocket>();
  const noteName = (name: string, done: (error: null) => void) => {
    asked.push(name);
    done(null);
  };
  const server = createServer({ ...contextOf(pairs), ...options, SNICallback: noteName }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    greet(socket);
  });
  server.on('tlsClientError', () => undefined);
  server.listen(0, host);
  try {
    await once(server, 'listening');
  } catch {
    return undefined;
  }
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('a listener without a port');
  return {
    port: address.port,
    asked,
    serve: (other) => server.setSecureContext({ ...contextOf(other), ...options }),
    async stop() {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}

function contextOf(pairs: Pair | readonly Pair[]): SecureContextOptions {
  const all = [pairs].flat();
  return { cert: all.map(({ chain }) => chain), key: all.map(({ key }) => key) };
}
