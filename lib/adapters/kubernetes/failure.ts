// Turns what goes wrong in a call to a cluster into a ClusterError that says what to do about it.
import { ApiException } from '@kubernetes/client-node';
import * as z from 'zod';
import { type ClusterAccess, ClusterError, type ClusterErrorCode } from '../../ports/cluster.ts';
import { AnswerError } from './answer.ts';

/** What a call is about, in the API's words, for messages. */
export interface CallSubject {
  readonly cluster: string;
  readonly verb: 'get' | 'list' | 'patch' | 'delete';
  /** Plural, such as `secrets`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name?: string;
  /** The server need not have such a resource: it answers 404 in plain text then, as for any path that it does not know. */
  readonly isOptional?: boolean;
}

/** A failed call. */
interface CallFailure {
  readonly error: ClusterError;
  /** How long the server asks to wait, if the call may be tried again; `undefined` if that would not help. */
  readonly retryAfterMs: number | undefined;
  /** Whoever is there is not who was meant, or nobody is: the server may have another address or authority by now. */
  readonly hasMoved?: boolean | undefined;
}

/** meta/v1 Status: how a Kubernetes API server words a refusal. */
const status = z.object({
  kind: z.literal('Status'),
  message: z.string().optional(),
  reason: z.string().optional(),
  details: z.object({ kind: z.string().optional(), name: z.string().optional() }).optional(),
});
type Status = z.infer<typeof status>;

/** What an answer's status code means here. Others that are not retried: `Rejected`. */
const codes: Readonly<Record<number, ClusterErrorCode>> = {
  401: 'SignInFailed',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  415: 'Unsupported',
};

const passing = [429, 500, 502, 503, 504];

/** The call as messages name it: `get secrets shop/web in cluster lab`. */
export function describeCall({ verb, resource, namespace, name, cluster }: CallSubject): string {
  return `${verb} ${resource} ${namespace}/${name ?? '*'} in cluster ${cluster}`;
}

/** Names the failure of one call. The original is its `cause` only where the network failed: the client's exception for a
 *  refusal carries the whole body and headers in its message, and one for a request that cannot be made quotes the URL
 *  or the header, so the credentials. */
export function nameFailure(
  subject: CallSubject,
  error: unknown,
  access: Pick<ClusterAccess, 'origin' | 'onRefusal'>,
): CallFailure {
  const what = describeCall(subject);
  if (error instanceof SyntaxError) {
    // The parser's message quotes the answer, which may be a Secret.
    return { error: new ClusterError('Malformed', `${what}: the answer is not JSON`), retryAfterMs: 0 };
  }
  if (error instanceof AnswerError) {
    return {
      error: new ClusterError(error.code, `${what}: ${error.message}`),
      retryAfterMs: undefined,
    };
  }
  if (!(error instanceof ApiException)) {
    if (error instanceof ClusterError) return { error, retryAfterMs: undefined };
    const { reason, cause, hasMoved } = explainNetwork(error, access.origin);
    return {
      error: new ClusterError('Unreachable', `${what}: no answer (${reason})`, { cause }),
      retryAfterMs: 0,
      hasMoved,
    };
  }
  if (error.code >= 300 && error.code < 400) {
    const advice = `the server redirects (${error.code}), which is not followed: give the API server's own URL as "server" in ${access.origin}`;
    return { error: new ClusterError('Rejected', `${what}: ${advice}`), retryAfterMs: undefined };
  }
  const answer = readStatus(error.body);
  // The client keeps the body of a 401 to itself.
  const isAbsent = subject.isOptional === true && error.code === 404;
  if (!answer && error.code !== 401 && !isAbsent && !passing.includes(error.code)) {
    const doubt = `the answer, ${error.code}, is not of a Kubernetes API server: is "server" right in ${access.origin}?`;
    return { error: new ClusterError('Malformed', `${what}: ${doubt}`), retryAfterMs: 0 };
  }
  const said = redact(answer?.message ?? `status ${error.code}`);
  if (passing.includes(error.code)) {
    return {
      error: new ClusterError('Unavailable', `${what}: the server answered ${error.code}: ${said}`),
      retryAfterMs: readRetryAfter(error.headers),
    };
  }
  const code = adviseAdmission(said) === undefined ? (codes[error.code] ?? 'Rejected') : 'Rejected';
  return {
    error: new ClusterError(code, `${what}: ${advise(code, subject, access, { answer, said })}`),
    retryAfterMs: undefined,
  };
}

function advise(
  code: ClusterErrorCode,
  subject: CallSubject,
  { onRefusal }: Pick<ClusterAccess, 'onRefusal'>,
  { answer, said }: { readonly answer: Status | undefined; readonly said: string },
): string {
  if (code === 'SignInFailed') {
    return `the server does not accept the credentials (401): ${onRefusal}`;
  }
  if (code === 'Unsupported') {
    return `the server takes no server-side apply (415): it needs Kubernetes 1.22 or later, or 1.16 with the feature gate ServerSideApply, and says: ${said}`;
  }
  if (code === 'Forbidden') {
    const denied = /User "(?<user>[^"]*)" cannot (?<verb>\w+) resource "(?<resource>[^"]+)"/.exec(
      said,
    )?.groups;
    if (!denied) return `forbidden: ${said}`;
    const rule = `verb "${denied.verb}" on "${denied.resource}"`;
    return `forbidden: user "${denied.user}" may not; add ${rule} to the role that is bound to it in namespace ${subject.namespace} (npm run rbac prints the rules)`;
  }
  if (code === 'NotFound' && answer?.details?.kind === 'namespaces') {
    return `namespace ${subject.namespace} does not exist: create it, or correct the target`;
  }
  return adviseAdmission(said) ?? said;
}

/** What would mend a refusal of admission, which answers as RBAC does or as validation does; `undefined` for any other. */
function adviseAdmission(said: string): string | undefined {
  if (/exceeded quota/.test(said)) {
    return `the namespace's quota is used up: raise it, or delete what nobody needs (${said})`;
  }
  if (/admission webhook .* denied|ValidatingAdmissionPolicy .* denied/.test(said)) {
    return `the cluster's policy does not allow it: change the policy, or give the Secret what it asks for by the target's labels and annotations (${said})`;
  }
  if (/may not be more than \d+ bytes/.test(said)) {
    return `a Secret cannot be as large: other keys in it take up the room, so name another Secret (${said})`;
  }
  return undefined;
}

function readStatus(body: unknown): Status | undefined {
  try {
    return status.parse(typeof body === 'string' ? JSON.parse(body) : body);
  } catch {
    return undefined;
  }
}

/** Admission webhooks may quote what they refuse: long runs of base64 or hex go, and so does a long text's end. It stays one
 *  line, whatever it says. */
function redact(message: string): string {
  const cut = message.length > mostRead ? `${message.slice(0, mostRead)}${'A'.repeat(40)}` : message;
  return cut
    .replace(/[A-Za-z0-9+/=]{40,}/g, '…')
    .slice(0, 400)
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** Of a message, before a pattern sees it: what is cut off here may be the end of a run. */
const mostRead = 4_000;

/** Seconds, as API servers send them; at most 5 s, since a run has others to serve. */
function readRetryAfter(headers: unknown): number {
  const parsed = z.object({ 'retry-after': z.coerce.number().min(0) }).safeParse(headers);
  return parsed.success ? Math.min(parsed.data['retry-after'] * 1000, 5000) : 0;
}

/** Codes of the system, of TLS and of the HTTP client for a connection that fails; not those for a value that is wrong. */
const networkCode =
  /^(?!.*_INVALID_)(E[A-Z]+|EAI_[A-Z]+|(UND_ERR|ERR_SSL|ERR_TLS|ERR_HTTP2)_\w+|[A-Z_]*(CERT|SIGNATURE|ISSUER)[A-Z_]*)$/;

/** The deepest cause knows best: "fetch failed" says nothing. Its text is never repeated, and it is given back only where
 *  its code tells that it quotes nothing. */
function explainNetwork(
  error: unknown,
  origin: string,
): { readonly reason: string; readonly cause?: Error; readonly hasMoved?: boolean } {
  let deepest = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  if (!(deepest instanceof Error)) return { reason: 'unknown error' };
  if (deepest.name === 'TimeoutError') return { reason: 'it took too long', cause: deepest };
  const code = 'code' in deepest && typeof deepest.code === 'string' ? deepest.code : '';
  if (code.startsWith('HPE_')) return { reason: `${code}: the answer is not HTTP` };
  if (!networkCode.test(code)) {
    return { reason: `the request could not be made: check server, proxy-url and token in ${origin}` };
  }
  if (/CERT|SIGNATURE|ALTNAME|ISSUER/.test(code)) {
    const reason = `${code}: the server's certificate does not fit the authority or the server name in ${origin}`;
    return { reason, cause: deepest, hasMoved: true };
  }
  return { reason: code, cause: deepest, hasMoved: code === 'ENOTFOUND' };
}
