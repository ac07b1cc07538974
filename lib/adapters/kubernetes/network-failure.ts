// Explains why a call got no answer from a cluster, without quoting a credential.
import type { ClusterAccess } from '../../ports/cluster.ts';
import { explainNetworkCode } from '../../ports/foreign-errors.ts';

/** Why there was no answer. */
export interface NetworkFailure {
  /** One line: from where, which code, what that means and what to check. */
  readonly message: string;
  /** The deepest error; absent if it may quote a credential. */
  readonly cause?: Error;
  /** True if the server's name does not resolve, or its certificate is wrong: the server may have a new
   *  address or authority. */
  readonly hasMoved?: boolean;
}

/** Codes of the system, of TLS and of the HTTP client for a failed connection, without those for an invalid
 *  value. */
const networkCode =
  /^(?!.*_INVALID_)(E[A-Z]+|EAI_[A-Z]+|(UND_ERR|ERR_SSL|ERR_TLS|ERR_HTTP2)_\w+|[A-Z_]*(CERT|SIGNATURE|ISSUER)[A-Z_]*)$/;

/** Explains a network error by its deepest cause, because the outer one ("fetch failed") says nothing. The
 *  cause's text is never repeated; of the server only the host is named. */
export function explainNetwork(
  error: unknown,
  { server, origin }: Pick<ClusterAccess, 'server' | 'origin'>,
): NetworkFailure {
  const from = `no answer from ${hostOf(server) ?? 'the server'}`;
  const explain = (reason: string) => `${from} (${reason})`;
  let deepest = error;
  while (deepest instanceof Error && deepest.cause instanceof Error) deepest = deepest.cause;
  if (!(deepest instanceof Error)) return { message: explain('unknown error') };
  if (deepest.name === 'TimeoutError') return { message: explain('it took too long'), cause: deepest };
  const code = 'code' in deepest && typeof deepest.code === 'string' ? deepest.code : '';
  if (code.startsWith('HPE_')) return { message: explain(`${code}: the answer is not HTTP`) };
  if (!networkCode.test(code)) {
    const reason = `the request could not be made: check server, proxy-url and token in ${origin}`;
    return { message: explain(reason) };
  }
  if (/CERT|SIGNATURE|ALTNAME|ISSUER/.test(code)) {
    const reason = `${code}: the server's certificate does not fit the authority or the server name in ${origin}`;
    return { message: explain(reason), cause: deepest, hasMoved: true };
  }
  const message = explain(explainNetworkCode(code) ?? code);
  return { message, cause: deepest, hasMoved: code === 'ENOTFOUND' };
}

/** Host and port of a URL, without credentials; `undefined` if it cannot be read. */
function hostOf(server: string): string | undefined {
  return URL.parse(server)?.host.slice(0, 260);
}
