// One connection to one API server: signs in, limits time and memory, retries, and shares one HTTP/2 session.
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
import { Agent, type Dispatcher, ProxyAgent, request as send } from 'undici';
import { once } from '../../async/promise-cache.ts';
import type { Clock } from '../../ports/clock.ts';
import { type ClusterAccess, ClusterError } from '../../ports/cluster.ts';
import type { Log } from '../../ports/log.ts';
import { type CallSubject, describeCall, translateFailure } from './failure.ts';
import { LargeResponses } from './large-responses.ts';
import { mostObjectBytes, readJson, readRefusal } from './response-body.ts';
import { TimeBudget } from './time-budget.ts';

/** Options of one call to the client: its signal and, for a patch, its content type. */
export type CallOptions = ReturnType<typeof setHeaderOptions>;

/** Settings of one call. */
interface CallSettings {
  readonly signal: AbortSignal;
  /** The kind of patch, for a PATCH. */
  readonly patch?: PatchStrategy;
  /** Most bytes of the response. Default: `mostObjectBytes`. */
  readonly mostBytes?: number;
}

/** One attempt of a call. */
interface Exchange {
  readonly signal: AbortSignal;
  readonly mostBytes: number;
  /** The response, once it is read. */
  response?: unknown;
}

/** How a cluster is reached, and its limits. */
export interface ConnectionOptions {
  readonly access: ClusterAccess;
  /** Reads the access again if the server has moved. Absent: the access never changes. */
  readonly refresh?: ((signal: AbortSignal) => Promise<ClusterAccess>) | undefined;
  /** Timeout of one attempt in milliseconds. Default: 15,000. */
  readonly attemptMs?: number | undefined;
  /** Most time in milliseconds that all calls together may take. Default: no limit. */
  readonly shareMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const defaultAttemptMs = 15_000;
const attempts = 3;

/** Most memory for the lists of one cluster in bytes, estimated by `weigh` (lists.ts). */
const mostKept = 64 * 1024 * 1024;

/** A connection to one API server. Calls of `core`, `apps`, `batch` and `custom` must go through `call`. */
export class Connection {
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly batch: BatchV1Api;
  readonly custom: CustomObjectsApi;
  readonly #options: ConnectionOptions;
  readonly #attemptMs: number;
  readonly #budget: TimeBudget;
  readonly #large = new LargeResponses();
  readonly #exchanges = new WeakMap<RequestContext, Exchange>();
  readonly #kept = new Map<string, number>();
  #access: ClusterAccess;
  #dispatcher: Dispatcher;
  /** Reads the access again, once for all calls that need it. A failure is not remembered. */
  readonly #refresh = once((signal: AbortSignal) => this.#reopen(signal));

  /** Opens no connection yet: the first call does. */
  constructor(options: ConnectionOptions) {
    const { access, attemptMs = defaultAttemptMs } = options;
    this.#options = options;
    this.#attemptMs = attemptMs;
    this.#budget = new TimeBudget(options.shareMs);
    this.#access = access;
    this.#dispatcher = makeDispatcher(access, attemptMs);
    // Not with the client's KubeConfig class: that can run programs and read files, and it opens a new TLS
    // connection for every call.
    const configuration = createConfiguration({
      baseServer: {
        makeRequestContext: (path, method) => new RequestContext(`${this.#access.server}${path}`, method),
      },
      httpApi: wrapHttpLibrary({ send: (request) => this.#sendOnce(request) }),
    });
    this.core = new CoreV1Api(configuration);
    this.apps = new AppsV1Api(configuration);
    this.batch = new BatchV1Api(configuration);
    this.custom = new CustomObjectsApi(configuration);
  }

  /** The current instant. */
  now(): Date {
    return this.#options.clock.now();
  }

  /** Makes one call of the client and returns the server's response, with members that are `null` left out.
   *  Tries up to 3 times after a lost connection or a temporary refusal (429, 5xx).
   *  @throws ClusterError
   *  @throws the signal's reason once the signal is aborted. */
  async call(
    subject: CallSubject,
    settings: CallSettings,
    send: (options: CallOptions) => Promise<unknown>,
  ): Promise<unknown> {
    const end = this.#budget.begin();
    try {
      return await this.#call(subject, settings, send);
    } finally {
      end();
    }
  }

  async #call(
    subject: CallSubject,
    { signal, patch, mostBytes = mostObjectBytes }: CallSettings,
    send: (options: CallOptions) => Promise<unknown>,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const leftMs = this.#budget.leftMs();
      if (leftMs === 0) throw this.#describeUsedUp(subject);
      const limited = AbortSignal.any([signal, AbortSignal.timeout(Math.min(leftMs, this.#attemptMs))]);
      const exchange: Exchange = { signal: limited, mostBytes };
      try {
        await send(this.#callOptions(exchange, patch));
        const { response } = exchange;
        delete exchange.response;
        return response;
      } catch (cause) {
        signal.throwIfAborted();
        if (this.#budget.leftMs() === 0) throw this.#describeUsedUp(subject);
        const { error, retryAfterMs, hasMoved } = translateFailure(subject, cause, this.#access);
        if (retryAfterMs === undefined || attempt === attempts) throw error;
        const { clock, log } = this.#options;
        log.debug('cluster call retried', { problem: error.message, attempt });
        await clock.sleep(Math.max(retryAfterMs, 100 * 2 ** attempt), signal);
        if (hasMoved) await this.#refresh(signal);
      }
    }
  }

  /** Records how much memory a list takes, in bytes as `weigh` counts. It replaces the number of an earlier
   *  call for the same list.
   *  @throws ClusterError `TooLarge` if all lists together take more than 64 MiB. */
  keep(subject: CallSubject, weight: number): void {
    this.#kept.set(`${subject.resource}/${subject.namespace}`, weight);
    const total = [...this.#kept.values()].reduce((sum, listWeight) => sum + listWeight, 0);
    if (total <= mostKept) return;
    this.#kept.delete(`${subject.resource}/${subject.namespace}`);
    const message = `${describeCall(subject)}: the cluster's lists are too large for one run: spread the objects of the namespace over several namespaces`;
    throw new ClusterError('TooLarge', message);
  }

  #describeUsedUp(subject: CallSubject): ClusterError {
    const { seconds } = this.#budget;
    const message = `${describeCall(subject)}: the cluster has used up its share of this run's time, ${seconds} s, by slow or endless answers: check its API server; the next run tries again`;
    return new ClusterError('Unreachable', message);
  }

  /** Closes the session; calls under way fail. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  async #reopen(signal: AbortSignal): Promise<void> {
    const access = await this.#options.refresh?.(signal);
    if (!access) return;
    const before = this.#dispatcher;
    this.#access = access;
    this.#dispatcher = makeDispatcher(access, this.#attemptMs);
    await before.destroy();
  }

  #callOptions(exchange: Exchange, patch: PatchStrategy | undefined): CallOptions {
    const { signal } = exchange;
    const signIn = {
      getName: () => 'cluster access',
      applySecurityAuthentication: async (context: RequestContext) => {
        const { token: source } = this.#access;
        const token = typeof source === 'function' ? await source(signal) : source;
        if (token !== undefined) context.setHeaderParam('Authorization', `Bearer ${token}`);
        this.#exchanges.set(context, exchange);
      },
    };
    const options = setHeaderOptions('User-Agent', 'certrelay', { authMethods: { default: signIn } });
    // Without this the client sends every patch as a JSON Patch.
    return patch === undefined ? options : setHeaderOptions('Content-Type', patch, options);
  }

  /** Sends one request of the client. The client's own transport is not used: it follows redirects, and so
   *  could send a Secret to a stranger, and it decompresses any response. The response is parsed here,
   *  because the client turns a text in place of a list into one object per letter. The client sees only
   *  `{}`, or the text of a refusal. */
  async #sendOnce(request: RequestContext): Promise<ResponseContext> {
    const exchange = this.#exchanges.get(request);
    if (!exchange) throw new Error('a call was made without its options');
    const { signal, mostBytes } = exchange;
    const content = request.getBody();
    const { statusCode, headers, body } = await send(request.getUrl(), {
      method: methods[request.getHttpMethod()] ?? 'GET',
      headers: { ...request.getHeaders(), 'accept-encoding': 'identity' },
      body: typeof content === 'string' ? content : null,
      signal,
      dispatcher: this.#dispatcher,
    });
    // A complete body emits an error when it is destroyed unread. Without a listener that ends the process.
    body.on('error', () => undefined);
    const large = this.#large;
    if (statusCode >= 200 && statusCode < 300) {
      exchange.response = await readJson(body, headers, { mostBytes, large, signal });
      return new ResponseContext(statusCode, { 'content-type': 'application/json' }, bodyOf('{}'));
    }
    const text = await readRefusal(body, headers, { large, signal });
    const retryAfter = headers['retry-after'];
    const headersForClient: ResponseContext['headers'] = {};
    if (typeof retryAfter === 'string') headersForClient['retry-after'] = retryAfter;
    return new ResponseContext(statusCode, headersForClient, bodyOf(text));
  }
}

const methods: Readonly<Record<string, 'GET' | 'PATCH' | 'DELETE'>> = { PATCH: 'PATCH', DELETE: 'DELETE' };

function bodyOf(text: string): SelfDecodingBody {
  return new SelfDecodingBody(Promise.resolve(Buffer.from(text)));
}

/** A dispatcher with one TLS connection, which all calls share by HTTP/2; with a proxy, as many as it
 *  needs. */
function makeDispatcher(
  { ca, serverName, proxy, clientCertificate }: ClusterAccess,
  attemptMs: number,
): Dispatcher {
  // As in Go, each certificate of `ca` is trusted by itself, also one that another authority has signed.
  const trust = { ca, allowPartialTrustChain: ca !== undefined };
  const tls = { ...trust, servername: serverName, ...clientCertificate };
  if (proxy !== undefined) return new ProxyAgent({ uri: proxy, requestTls: tls });
  return new Agent({ connections: 1, connect: { ...tls, preferH2: true, timeout: attemptMs } });
}
