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
import { Agent, type Dispatcher, ProxyAgent, request as send } from 'undici';
import { once } from '../../async/promise-cache.ts';
import type { Clock } from '../../ports/clock.ts';
import { type ClusterAccess, ClusterError } from '../../ports/cluster.ts';
import type { Log } from '../../ports/log.ts';
import { mostObjectBytes, readAnswer, readRefusal } from './answer.ts';
import { type CallSubject, describeCall, nameFailure } from './failure.ts';
import { LargeAnswers } from './large-answers.ts';
import { TimeShare } from './time-share.ts';

/** Options of one call to the client: its signal and, for a patch, its content type. */
export type CallOptions = ReturnType<typeof setHeaderOptions>;

/** What a call may be given besides what the API wants. */
interface CallSettings {
  readonly signal: AbortSignal;
  readonly patch?: PatchStrategy;
  /** Most bytes of the answer; those of one object where absent. */
  readonly mostBytes?: number;
}

/** One request to the server, and the answer once it is there. */
interface Exchange {
  readonly signal: AbortSignal;
  readonly mostBytes: number;
  answer?: unknown;
}

export interface ConnectionOptions {
  readonly access: ClusterAccess;
  /** Gives the access anew, where it may change while the connection is open. */
  readonly refresh?: ((signal: AbortSignal) => Promise<ClusterAccess>) | undefined;
  /** How long one attempt may take; 15 s where absent. */
  readonly attemptMs?: number | undefined;
  /** How long all calls together may keep a run waiting; absent: for ever. */
  readonly shareMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

const usualAttemptMs = 15_000;
const attempts = 3;

/** Most that may be kept of one cluster's lists, as `weigh` counts it (lists.ts). */
const mostKept = 64 * 1024 * 1024;

/** What every call to one API server goes through: `core`, `apps`, `batch` and `custom` are the client's, `call` makes one
 *  call of theirs. */
export class Connection {
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  readonly batch: BatchV1Api;
  readonly custom: CustomObjectsApi;
  readonly #options: ConnectionOptions;
  readonly #attemptMs: number;
  readonly #share: TimeShare;
  readonly #large = new LargeAnswers();
  readonly #exchanges = new WeakMap<RequestContext, Exchange>();
  readonly #kept = new Map<string, number>();
  #access: ClusterAccess;
  #dispatcher: Dispatcher;
  /** For all calls that meet the same stranger; anew after a failure. */
  readonly #refresh = once((signal: AbortSignal) => this.#reopen(signal));

  constructor(options: ConnectionOptions) {
    const { access, attemptMs = usualAttemptMs } = options;
    this.#options = options;
    this.#attemptMs = attemptMs;
    this.#share = new TimeShare(options.shareMs);
    this.#access = access;
    this.#dispatcher = makeDispatcher(access, attemptMs);
    // The client's own KubeConfig class is not used: it knows how to run programs and read files, and makes a new TLS
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

  /** Makes a call, up to three times while it gets no answer or one that asks to come back. Gives the answer as the server
   *  sent it, but without what is null.
   *  @throws ClusterError, or the signal's reason once that is aborted. */
  async call(
    subject: CallSubject,
    settings: CallSettings,
    ask: (options: CallOptions) => Promise<unknown>,
  ): Promise<unknown> {
    const end = this.#share.begin();
    try {
      return await this.#call(subject, settings, ask);
    } finally {
      end();
    }
  }

  async #call(
    subject: CallSubject,
    { signal, patch, mostBytes = mostObjectBytes }: CallSettings,
    ask: (options: CallOptions) => Promise<unknown>,
  ): Promise<unknown> {
    for (let attempt = 1; ; attempt += 1) {
      signal.throwIfAborted();
      const leftMs = this.#share.leftMs();
      if (leftMs === 0) throw this.#refuseMore(subject);
      const limited = AbortSignal.any([signal, AbortSignal.timeout(Math.min(leftMs, this.#attemptMs))]);
      const exchange: Exchange = { signal: limited, mostBytes };
      try {
        await ask(this.#callOptions(exchange, patch));
        const { answer } = exchange;
        delete exchange.answer;
        return answer;
      } catch (cause) {
        signal.throwIfAborted();
        if (this.#share.leftMs() === 0) throw this.#refuseMore(subject);
        const { error, retryAfterMs, hasMoved } = nameFailure(subject, cause, this.#access);
        if (retryAfterMs === undefined || attempt === attempts) throw error;
        const { clock, log } = this.#options;
        log.debug('cluster call retried', { problem: error.message, attempt });
        await clock.sleep(Math.max(retryAfterMs, 100 * 2 ** attempt), signal);
        if (hasMoved) await this.#refresh(signal);
      }
    }
  }

  /** Notes how much of a list is kept; what was noted of the same list before is no longer. @throws ClusterError `TooLarge` */
  keep(subject: CallSubject, weight: number): void {
    this.#kept.set(`${subject.resource}/${subject.namespace}`, weight);
    const kept = [...this.#kept.values()].reduce((sum, one) => sum + one, 0);
    if (kept <= mostKept) return;
    this.#kept.delete(`${subject.resource}/${subject.namespace}`);
    const message = `${describeCall(subject)}: the cluster's lists are larger than one run can hold: spread what is in the namespace over more of them`;
    throw new ClusterError('TooLarge', message);
  }

  #refuseMore(subject: CallSubject): ClusterError {
    const { seconds } = this.#share;
    const message = `${describeCall(subject)}: the cluster has used up its share of this run's time, ${seconds} s, by slow or endless answers: look at its API server; the next run goes on`;
    return new ClusterError('Unreachable', message);
  }

  /** Ends the session; calls under way fail. */
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

  /** Sends a request to the server and nowhere else: the client's own way follows redirects, and so would take a Secret to
   *  whoever the answer names. It unpacks whatever comes, too, and makes an object of every letter of a text that stands where a
   *  list should: so the answer is read here, and the client gets only what it needs of a refusal. */
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
    // What has come whole and is destroyed unread emits an error, and one that nobody hears ends the process.
    body.on('error', () => undefined);
    const large = this.#large;
    if (statusCode >= 200 && statusCode < 300) {
      exchange.answer = await readAnswer(body, headers, { mostBytes, large, signal });
      return new ResponseContext(statusCode, { 'content-type': 'application/json' }, bodyOf('{}'));
    }
    const text = await readRefusal(body, headers, { large, signal });
    const retryAfter = headers['retry-after'];
    const told: ResponseContext['headers'] = {};
    if (typeof retryAfter === 'string') told['retry-after'] = retryAfter;
    return new ResponseContext(statusCode, told, bodyOf(text));
  }
}

const methods: Readonly<Record<string, 'GET' | 'PATCH' | 'DELETE'>> = { PATCH: 'PATCH', DELETE: 'DELETE' };

function bodyOf(text: string): SelfDecodingBody {
  return new SelfDecodingBody(Promise.resolve(Buffer.from(text)));
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
