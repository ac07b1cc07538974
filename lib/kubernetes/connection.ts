// One connection to one API server: sign-in, time limits, retries and one HTTP/2 session for all calls.
import {
  AppsV1Api,
  BatchV1Api,
  CoreV1Api,
  CustomObjectsApi,
  createConfiguration,
  type PatchStrategy,
  RequestContext,
  ResponseContext,
  SelfDecodingBody,
  setHeaderOptions,
  wrapHttpLibrary,
} from '@kubernetes/client-node';
import { Agent, type Dispatcher, fetch, ProxyAgent } from 'undici';
import type { ClusterAccess } from '../cluster-ports.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports.ts';
import { type CallSubject, nameFailure } from './failure.ts';

/** Options of one call to the client: its signal and, for a patch, its content type. */
export type CallOptions = ReturnType<typeof setHeaderOptions>;

/** What a call may be given besides what the API wants. */
interface CallSettings {
  readonly signal: AbortSignal;
  readonly patch?: PatchStrategy;
}

export interface ConnectionOptions {
  readonly access: ClusterAccess;
  /** Gives the access anew, where it may change while the connection is open. */
  readonly refresh?: ((signal: AbortSignal) => Promise<ClusterAccess>) | undefined;
  /** How long one attempt may take; 15 s where absent. */
  readonly attemptMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const usualAttemptMs = 15_000;
const attempts = 3;

/** What every call to one API server goes through: `core`, `apps`, `batch` and `custom` are the client's, `call` makes one
 *  call of theirs. */
export class Connection {
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly batch: BatchV1Api;
  readonly custom: CustomObjectsApi;
  readonly #options: ConnectionOptions;
  readonly #attemptMs: number;
  #access: ClusterAccess;
  #dispatcher: Dispatcher;
  #refreshing: Promise<void> | undefined;

  constructor(options: ConnectionOptions) {
    const { access, attemptMs = usualAttemptMs } = options;
    this.#options = options;
    this.#attemptMs = attemptMs;
    this.#access = access;
    this.#dispatcher = makeDispatcher(access, attemptMs);
    // The client's own KubeConfig class is not used: it knows how to run programs and read files, and makes a new TLS
    // connection for every call.
    const configuration = createConfiguration({
      baseServer: {
        makeRequestContext: (path, method) => new RequestContext(`${this.#access.server}${path}`, method),
      },
      httpApi: wrapHttpLibrary({ send: sendOnce }),
    });
    this.core = new CoreV1Api(configuration);
    this.apps = new AppsV1Api(configuration);
    this.batch = new BatchV1Api(configuration);
    this.custom = new CustomObjectsApi(configuration);
  }

  /** Makes a call, up to three times while it gets no answer or one that asks to come back.
   *  @throws ClusterError, or the signal's reason once that is aborted. */
  async call<T>(
    subject: CallSubject,
    { signal, patch }: CallSettings,
    send: (options: CallOptions) => Promise<T>,
  ): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const limited = AbortSignal.any([signal, AbortSignal.timeout(this.#attemptMs)]);
      try {
        return await send(this.#callOptions(limited, patch));
      } catch (thrown) {
        signal.throwIfAborted();
        const { error, retryAfterMs, hasMoved } = nameFailure(subject, thrown, this.#access);
        if (retryAfterMs === undefined || attempt === attempts) throw error;
        const { clock, log } = this.#options;
        log.debug('cluster call failed, trying again', { problem: error.message, attempt });
        await clock.sleep(Math.max(retryAfterMs, 100 * 2 ** attempt), signal);
        if (hasMoved) await this.#refresh(signal);
      }
    }
  }

  /** Ends the session; calls under way fail. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /** Once, for all calls that meet the same stranger; anew after a failure. */
  #refresh(signal: AbortSignal): Promise<void> {
    this.#refreshing ??= this.#reopen(signal).catch((error: unknown) => {
      this.#refreshing = undefined;
      throw error;
    });
    return this.#refreshing;
  }

  async #reopen(signal: AbortSignal): Promise<void> {
    const access = await this.#options.refresh?.(signal);
    if (!access) return;
    const before = this.#dispatcher;
    this.#access = access;
    this.#dispatcher = makeDispatcher(access, this.#attemptMs);
    await before.destroy();
  }

  #callOptions(signal: AbortSignal, patch: PatchStrategy | undefined): CallOptions {
    const signIn = {
      getName: () => 'cluster access',
      applySecurityAuthentication: async (context: RequestContext) => {
        const { token: source } = this.#access;
        const token = typeof source === 'function' ? await source(signal) : source;
        if (token !== undefined) context.setHeaderParam('Authorization', `Bearer ${token}`);
        context.setDispatcher(this.#dispatcher);
        context.setSignal(signal);
      },
    };
    const options = setHeaderOptions('User-Agent', 'certrelay', { authMethods: { default: signIn } });
    // Without this the client sends every patch as a JSON Patch.
    return patch === undefined ? options : setHeaderOptions('Content-Type', patch, options);
  }
}

/** Sends a request to the server and nowhere else: the client's own way follows redirects, and so would take a Secret to
 *  whoever the answer names. */
async function sendOnce(request: RequestContext): Promise<ResponseContext> {
  const body = request.getBody();
  const response = await fetch(request.getUrl(), {
    method: request.getHttpMethod(),
    headers: request.getHeaders(),
    body: typeof body === 'string' ? body : null,
    signal: request.getSignal() ?? null,
    dispatcher: request.getDispatcher(),
    redirect: 'manual',
  });
  // Read here, because the client leaves some bodies unread, and then nobody would hear of one that is cut.
  const content = new SelfDecodingBody(Promise.resolve(Buffer.from(await response.arrayBuffer())));
  return new ResponseContext(response.status, Object.fromEntries(response.headers), content);
}

/** One TLS connection: with HTTP/2, which API servers speak, calls share it side by side. */
function makeDispatcher(
  { ca, serverName, proxy, clientCertificate }: ClusterAccess,
  attemptMs: number,
): Dispatcher {
  const tls = { ca, servername: serverName, ...clientCertificate };
  if (proxy !== undefined) return new ProxyAgent({ uri: proxy, requestTls: tls });
  return new Agent({ connections: 1, connect: { ...tls, preferH2: true, timeout: attemptMs } });
}
