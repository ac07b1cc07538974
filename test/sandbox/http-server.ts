// One HTTP(S) server on 127.0.0.1 at a free port, with the journal and the faults around every call.
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createSecureServer, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2';
import type { AddressInfo } from 'node:net';
import type { Faults } from './faults.ts';
import type { Access } from './iam/access.ts';
import type { AccessRequest } from './iam/evaluation.ts';
import { type Call, type Journal, neededFor, type Service } from './journal.ts';
import { readSignature } from './principal.ts';

export interface Request {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: string | Buffer;
  /** In place of a body: pieces that are sent as they come, until the signal says that the client is gone. */
  readonly stream?: (signal: AbortSignal) => AsyncIterable<string>;
}

/** How one part names a call and answers it. */
export interface Part {
  readonly service: Service;
  /** Names the call for the journal and the faults; `undefined` keeps it out of both. */
  describe(request: Request):
    | {
        readonly action: string;
        readonly resource: string;
        readonly principal: string;
        readonly detail?: unknown;
        /** What IAM is asked for it; absent: for the action on the resource. */
        readonly needs?: readonly AccessRequest[];
      }
    | undefined;
  handle(request: Request): Answer | Promise<Answer>;
  /** The part's own error answer, for faults of kind `error`. */
  refuse(code: string, status: number, message: string, request: Request): Answer;
  /** Of a service of AWS: how it says that IAM does not allow a call, and that it does not know an access
   *  key. */
  readonly denials?: Readonly<
    Record<'denied' | 'unknown', { readonly code: string; readonly status: number }>
  >;
}

export interface Surroundings {
  readonly journal: Journal;
  readonly faults: Faults;
  /** Absent: everything is allowed to everybody. */
  readonly access?: Access | undefined;
}

export interface RunningServer {
  readonly port: number;
  readonly url: string;
  /** TCP (TLS) connections accepted so far. */
  connections(): number;
  stop(): Promise<void>;
}

/** `tls`: PEM of the serving certificate; HTTP/2 and HTTP/1.1 are both offered then. */
export async function serve(
  part: Part,
  { journal, faults, access }: Surroundings,
  tls?: { readonly cert: string; readonly key: string },
): Promise<RunningServer> {
  const listener = (
    message: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ) => {
    answer(message, response).catch((error: unknown) => {
      send(response, {
        status: 500,
        body: `sandbox: ${error instanceof Error ? error.stack : String(error)}`,
      });
    });
  };

  async function answer(
    message: IncomingMessage | Http2ServerRequest,
    response: ServerResponse | Http2ServerResponse,
  ): Promise<void> {
    const request = await readRequest(message);
    const cut = () => message.socket.destroy();
    const described = part.describe(request);
    if (!described) return send(response, await part.handle(request));
    const call = await journal.begin({ service: part.service, ...described });
    const fault = faults.take(part.service, described.action, described.resource);
    if (fault?.kind === 'drop') return void cut();
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'delay') await new Promise((resolve) => setTimeout(resolve, fault.ms));
    let result =
      fault?.kind === 'error'
        ? part.refuse(fault.code, fault.status, fault.message ?? 'set by a test', request)
        : (deny(part, call, request, access) ?? (await part.handle(request)));
    if (fault?.kind === 'error') result = { ...result, headers: { ...result.headers, ...fault.headers } };
    await journal.end(call, result.status);
    if (fault?.kind === 'lose') return void cut();
    if (fault?.kind === 'malformed') result = { ...result, body: '<<< not what the protocol says' };
    send(response, result);
  }

  const server = tls ? createSecureServer({ ...tls, allowHTTP1: true }, listener) : createServer(listener);
  let connections = 0;
  const sockets = new Set<{ destroy(): void }>();
  server.on(tls ? 'secureConnection' : 'connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    connections: () => connections,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** The answer to a call that IAM does not allow; `undefined` where it does, and for what the part itself
 *  refuses: a request without signature, or one in the name of a session that is over. */
function deny(part: Part, call: Call, request: Request, access: Access | undefined): Answer | undefined {
  const { denials } = part;
  const accessKey = readSignature(request.headers.authorization)?.accessKey;
  if (!access || !denials || accessKey === undefined) return undefined;
  if (call.principal === 'unknown') {
    if (accessKey.startsWith('ASIA')) return undefined;
    const { code, status } = denials.unknown;
    return part.refuse(code, status, 'The security token included in the request is invalid.', request);
  }
  const message = access.refuse(call.principal, neededFor(call));
  return message === undefined
    ? undefined
    : part.refuse(denials.denied.code, denials.denied.status, message, request);
}

async function readRequest(message: IncomingMessage | Http2ServerRequest): Promise<Request> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return {
    method: message.method ?? 'GET',
    url: new URL(message.url ?? '/', 'http://sandbox'),
    headers: message.headers,
    body: Buffer.concat(chunks),
  };
}

function send(response: ServerResponse | Http2ServerResponse, answer: Answer): void {
  const headers: Record<string, string | string[] | number> = {};
  for (const [name, value] of Object.entries(answer.headers ?? {})) {
    headers[name] = typeof value === 'string' ? value : [...value];
  }
  // The two response types share their methods but TypeScript cannot call through their union.
  const plain = response as ServerResponse;
  if (answer.stream) {
    plain.writeHead(answer.status, headers);
    void sendPieces(plain, answer.stream);
    return;
  }
  const body = answer.body ?? '';
  plain.writeHead(answer.status, { ...headers, 'content-length': Buffer.byteLength(body) });
  plain.end(body);
}

async function sendPieces(response: ServerResponse, stream: NonNullable<Answer['stream']>): Promise<void> {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  for await (const piece of stream(gone.signal)) response.write(piece);
  response.end();
}
