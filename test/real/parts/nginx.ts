// Starts nginx on 127.0.0.1 with files of the test, to see whether a delivered Secret loads and serves.

import { mkdir, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname, join } from 'node:path';
import { mustLocate } from './locate.ts';
import { freePort, makeDirectory, removeDirectory, startServer } from './process.ts';

/** What nginx is to serve. */
export interface NginxOptions {
  /** Content by relative path, as a Secret's keys are mounted: `{ 'tls/tls.crt': …, 'tls/tls.key': …
   *  }`. */
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  /** What goes into `http { }`: its `server` blocks, which listen on `127.0.0.1:<port>`. Relative paths in it
   *  are those of `files`. */
  readonly config: (port: number) => string;
}

/** A running nginx. */
export interface Nginx {
  readonly port: number;
  /** Where `files` are. */
  readonly directory: string;
  /** Stops it and removes its files. May be called twice. */
  stop(): Promise<void>;
}

/** Starts nginx and resolves when its port takes connections.
 *  @throws Error with nginx's own message when it refuses the configuration, the certificate or the key. */
export async function startNginx(options: NginxOptions): Promise<Nginx> {
  const command = mustLocate('nginx');
  const directory = await makeDirectory('nginx');
  try {
    for (const [path, content] of Object.entries(options.files)) {
      await mkdir(dirname(join(directory, path)), { recursive: true });
      await writeFile(join(directory, path), content);
    }
    const port = await freePort();
    const configFile = join(directory, 'nginx.conf');
    await writeFile(configFile, configuration(options.config(port)));
    const server = await startServer({
      name: 'nginx',
      command,
      args: ['-p', `${directory}/`, '-e', 'stderr', '-c', configFile],
      directory,
      probe: () => connection(port),
      readyWithinMs: 10_000,
    });
    return {
      port,
      directory,
      stop: async () => {
        await server.stop();
        await removeDirectory(directory);
      },
    };
  } catch (error) {
    await removeDirectory(directory);
    throw error;
  }
}

function configuration(http: string): string {
  // As root, nginx gives its workers to another user, who may not read the directory.
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `${user}daemon off;
worker_processes 1;
pid nginx.pid;
error_log stderr;
events { worker_connections 64; }
http {
  access_log off;
  default_type text/plain;
${scratch.map((name) => `  ${name}_temp_path scratch-${name};`).join('\n')}
${http}
}
`;
}

function connection(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}
