// Translates the failure of a call to a cluster to a ClusterError whose message says what to do.
import { ApiException } from '@kubernetes/client-node';
import * as z from 'zod';
import { isPlainUser, rbacCommand } from '../../policy/commands.ts';
import { type ClusterAccess, ClusterError, type ClusterErrorCode } from '../../ports/cluster.ts';
import { explainNetwork } from './network-failure.ts';
import { ResponseError } from './response-body.ts';

/** What a call does and to which resource, in the words of the API, for messages. */
export interface CallSubject {
  /** Name of the cluster in the inventory. */
  readonly cluster: string;
  readonly verb: 'get' | 'list' | 'patch' | 'delete';
  /** Plural, e.g. `secrets`. */
  readonly resource: string;
  readonly namespace: string;
  readonly name?: string;
  /** True if a cluster may not have the resource. Its server then answers 404 in plain text, as for any
   *  unknown path. */
  readonly isOptional?: boolean;
}

/** A failed call. */
interface CallFailure {
  readonly error: ClusterError;
  /** How long to wait before another attempt, in milliseconds; `undefined` if another attempt would not
   *  help. */
  readonly retryAfterMs: number | undefined;
  /** True if the server's name does not resolve, or its certificate is wrong: the server may have a new
   *  address or authority. */
  readonly hasMoved?: boolean | undefined;
}

/** The body of a refusal by a Kubernetes API server (meta/v1 Status). */
const status = z.object({
  kind: z.literal('Status'),
  message: z.string().optional(),
  reason: z.string().optional(),
  details: z.object({ kind: z.string().optional(), name: z.string().optional() }).optional(),
});
type Status = z.infer<typeof status>;

/** Error codes by HTTP status. Other statuses that are not retried mean `Rejected`. */
const codes: Readonly<Record<number, ClusterErrorCode>> = {
  401: 'SignInFailed',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  410: 'Expired',
  415: 'Unsupported',
};

/** HTTP statuses after which a call is tried again. */
const temporary = [429, 500, 502, 503, 504];

/** The call as messages name it, e.g. `get secrets shop/web in cluster lab`. */
export function describeCall({ verb, resource, namespace, name, cluster }: CallSubject): string {
  return `${verb} ${resource} ${namespace}/${name ?? '*'} in cluster ${cluster}`;
}

/** The ClusterError for a failed call, and whether another attempt may help. Only a network error is kept as
 *  `cause`. The client's error about a refusal contains body and headers, and one about an invalid request
 *  quotes the URL or a header, and so credentials. */
export function translateFailure(
  subject: CallSubject,
  error: unknown,
  access: Pick<ClusterAccess, 'server' | 'origin' | 'onRefusal'>,
): CallFailure {
  const call = describeCall(subject);
  if (error instanceof SyntaxError) {
    // The parser's message quotes the response, which may be a Secret.
    return { error: new ClusterError('Malformed', `${call}: the answer is not JSON`), retryAfterMs: 0 };
  }
  if (error instanceof ResponseError) {
    return {
      error: new ClusterError(error.code, `${call}: ${error.message}`),
      retryAfterMs: undefined,
    };
  }
  if (!(error instanceof ApiException)) {
    if (error instanceof ClusterError) return { error, retryAfterMs: undefined };
    const { message, cause, hasMoved } = explainNetwork(error, access);
    return {
      error: new ClusterError('Unreachable', `${call}: ${message}`, { cause }),
      retryAfterMs: 0,
      hasMoved,
    };
  }
  if (error.code >= 300 && error.code < 400) {
    const advice = `the server redirects (${error.code}), which is not followed: give the API server's own URL as "server" in ${access.origin}`;
    return { error: new ClusterError('Rejected', `${call}: ${advice}`), retryAfterMs: undefined };
  }
  const refusal = readStatus(error.body);
  // The client does not give us the body of a 401.
  const isAbsent = subject.isOptional === true && error.code === 404;
  if (!refusal && error.code !== 401 && !isAbsent && !temporary.includes(error.code)) {
    const advice = `the answer, ${error.code}, is not of a Kubernetes API server: check "server" in ${access.origin}`;
    return { error: new ClusterError('Malformed', `${call}: ${advice}`), retryAfterMs: 0 };
  }
  const message = redact(refusal?.message || `status ${error.code}`);
  if (temporary.includes(error.code)) {
    return {
      error: new ClusterError('Unavailable', `${call}: the server answered ${error.code}: ${message}`),
      retryAfterMs: readRetryAfter(error.headers),
    };
  }
  const isAdmission =
    error.code === 403 ? isWriteRefusal(subject, refusal) : adviseAdmission(message) !== undefined;
  const code = isAdmission ? 'Rejected' : (codes[error.code] ?? 'Rejected');
  return {
    error: new ClusterError(code, `${call}: ${advise(code, subject, access, { refusal, message })}`),
    retryAfterMs: undefined,
  };
}

/** What is wrong and what to do, for a refusal with this code. `message` is the server's, redacted. */
function advise(
  code: ClusterErrorCode,
  subject: CallSubject,
  { onRefusal }: Pick<ClusterAccess, 'onRefusal'>,
  { refusal, message }: { readonly refusal: Status | undefined; readonly message: string },
): string {
  if (code === 'SignInFailed') {
    return `the server does not accept the credentials (401): ${onRefusal}`;
  }
  if (code === 'Unsupported') {
    return `the server takes no server-side apply (415): it needs Kubernetes 1.22 or later, or 1.16 with the feature gate ServerSideApply, and says: ${message}`;
  }
  if (code === 'Forbidden') {
    const denied = matchRbac(refusal);
    if (denied?.resource === undefined) return `forbidden: ${message}`;
    const rule = `verb "${denied.verb}" on "${denied.resource}"`;
    const user = redact(denied.user ?? '');
    return `forbidden: user "${user}" may not; add ${rule} to the role that is bound to it in namespace ${subject.namespace} (if that does not exist, create it, or correct the target)${adviseRights(subject.cluster, denied.user ?? '')}`;
  }
  if (code === 'NotFound' && refusal?.details?.kind === 'namespaces') {
    return `namespace ${subject.namespace} does not exist: create it, or correct the target`;
  }
  return adviseAdmission(message) ?? message;
}

/** How the user gets its rights; nothing for a name that is no name of a user, or too long for a line. */
function adviseRights(cluster: string, user: string): string {
  if (!isPlainUser(user)) return '';
  return `; to give all rights that the inventory needs, run: ${rbacCommand(cluster, user)}`;
}

/** How an authorizer refuses, in all versions of the API server. A webhook that is asked for authorization
 *  adds words of its own at the end. */
const rbacRefusal =
  /^(?:[\w.-]{1,253} (?:"[^"]{0,253}" )?is )?forbidden: User "(?<user>(?:[^"\\]|\\.)*)" cannot (?<verb>\w+) (?:resource "(?<resource>[^"]{1,253})"|path ")/;

/** Whether a refusal with status 403 is by admission: by what the cluster's owner has said of objects, not of
 *  us. Admission sees writes only, and the authorizer's refusal has one form. */
function isWriteRefusal({ verb }: CallSubject, refusal: Status | undefined): boolean {
  const isWrite = verb === 'patch' || verb === 'delete';
  return isWrite && Boolean(refusal?.message) && matchRbac(refusal) === undefined;
}

/** Who may not do what, of a refusal by the authorizer. */
function matchRbac(refusal: Status | undefined): Readonly<Record<string, string | undefined>> | undefined {
  return rbacRefusal.exec(refusal?.message?.slice(0, mostRead) ?? '')?.groups;
}

/** What to do about a refusal by admission or a quota. `undefined` for refusals that nothing is known of. */
function adviseAdmission(message: string): string | undefined {
  if (/exceeded quota|failed quota|insufficient quota/.test(message)) {
    return `the namespace's quota is used up: raise it, or delete what nobody needs (${message})`;
  }
  if (/because it is being terminated/.test(message)) {
    return `the namespace is being deleted: wait until it exists again, or remove the target (${message})`;
  }
  if (/admission webhook .* denied|ValidatingAdmissionPolicy .* denied/.test(message)) {
    return `the cluster's policy does not allow it: change the policy, or set the labels and annotations that it requires at the target (${message})`;
  }
  if (/may not be more than \d+ bytes/.test(message)) {
    return `the Secret would be too large, because of other keys in it: name another Secret at the target (${message})`;
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

/** A server's message on one line, at most 400 characters, without long runs of base64 or hex: an admission
 *  webhook may quote the Secret that it refuses. */
function redact(message: string): string {
  const cut = message.length > mostRead ? `${message.slice(0, mostRead)}${'A'.repeat(40)}` : message;
  return cut
    .replace(/[A-Za-z0-9+/=]{40,}/g, '…')
    .slice(0, 400)
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** Characters of a message that patterns see. The cut may be inside a run of base64, so `redact` completes
 *  it. */
const mostRead = 4_000;

/** The wait in Retry-After, in milliseconds: at most 5,000, because a run has other clusters to serve. API
 *  servers send seconds. */
function readRetryAfter(headers: unknown): number {
  const parsed = z.object({ 'retry-after': z.coerce.number().min(0) }).safeParse(headers);
  return parsed.success ? Math.min(parsed.data['retry-after'] * 1000, 5000) : 0;
}
