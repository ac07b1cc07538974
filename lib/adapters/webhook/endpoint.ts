// Answers POST /domains and GET, PUT and DELETE /domains/{name}: authenticates a request, runs its story, and
// responds with the result.
import type { Clock } from '../../ports/clock.ts';
import { describeError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { DescribeRegistration, Register, TakeBack } from '../../ports/registration.ts';
import type { GithubAllowedUntil } from './github.ts';
import { type HttpRequest, type HttpResponse, jsonResponse, parseHttpEvent } from './http.ts';
import { closed, toResponse, toStandingResponse } from './responses.ts';
import type { ReadSecrets } from './secrets.ts';
import { readClaim, type StandardClaim, verifySignature } from './signature.ts';

interface EndpointPorts {
  /** Whether the inventory lets anybody register. */
  readonly isOpen: boolean;
  readonly readSecrets: ReadSecrets;
  readonly register: Register;
  readonly describe: DescribeRegistration;
  readonly takeBack: TakeBack;
  readonly githubAllowedUntil: GithubAllowedUntil;
  readonly clock: Clock;
  readonly log: Log;
}

/** Returns the response to an event of an HTTP API, and never rejects. A malformed request, or one without a
 *  well-formed signature, causes no call to AWS. One with a wrong signature causes at most one a minute, to
 *  read the secrets; none where nobody may register, as the secret may be missing there. */
export type Endpoint = (event: unknown, requestId: string, signal: AbortSignal) => Promise<HttpResponse>;

/** The endpoint over the given ports. It remembers nothing between requests. */
export function createEndpoint(ports: EndpointPorts): Endpoint {
  return async (event, requestId, signal) => {
    try {
      const parsed = parseHttpEvent(event);
      const response = 'request' in parsed ? await handle(parsed.request, ports, signal) : parsed;
      ports.log.info('request answered', { status: response.statusCode });
      return response;
    } catch (error) {
      // The log says what went wrong; the sender gets only the id of that log line.
      ports.log.error('request failed', { status: 500, problem: describeError(error) });
      return jsonResponse(500, { message: 'the request failed here; it may be sent again', requestId });
    }
  };
}

async function handle(
  request: HttpRequest,
  ports: EndpointPorts,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const signed = readClaim(request.headers, ports.clock.now());
  if ('problem' in signed) return jsonResponse(401, { message: signed.problem, reason: signed.reason });
  if (!ports.isOpen) return closed;
  const { claim } = signed;
  const { name } = request;
  if (claim.kind === 'github' && name !== undefined) return jsonResponse(401, { message: standardOnly });
  if (!verifySignature(claim, request.body, await ports.readSecrets(signal))) {
    return jsonResponse(401, {
      message: 'the signature was not made over this body with a secret known here',
    });
  }
  if (claim.kind === 'github' && !(await isGithubAllowed(claim.id, ports, signal))) {
    return jsonResponse(401, { message: `${noGithub}: sign as Standard Webhooks say` });
  }
  const body = parseJson(request.body);
  if (body === undefined) return jsonResponse(400, { message: 'the body is not JSON' });
  if (name === undefined || claim.kind === 'github')
    return toResponse(await ports.register(body, claim.id, signal));
  return handleNamed({ method: request.method, name, body, claim }, ports, signal);
}

const standardOnly = 'requests about one name are signed as Standard Webhooks say, and in no other form';

/** A verified request about one name. Its body repeats what is done: a signature for one thing serves for no
 *  other. */
async function handleNamed(
  {
    method,
    name,
    body,
    claim,
  }: {
    readonly method: string;
    readonly name: string;
    readonly body: unknown;
    readonly claim: StandardClaim;
  },
  { register, describe, takeBack }: EndpointPorts,
  signal: AbortSignal,
): Promise<HttpResponse> {
  const { method: said, ...rest } =
    typeof body === 'object' && body !== null ? { method: undefined, ...body } : {};
  const isAbout = 'name' in rest && rest.name === name && said === method;
  if (!isAbout || (method !== 'PUT' && Object.keys(rest).length > 1)) {
    const more = method === 'PUT' ? ', with the domains' : ' and nothing else';
    const message = `the signed body must repeat what is done: ${JSON.stringify({ method, name })}${more}`;
    return jsonResponse(400, { message });
  }
  if (method === 'PUT') return toResponse(await register(rest, claim.id, signal));
  if (method === 'GET') return toStandingResponse(await describe(name, signal));
  return toStandingResponse(await takeBack(name, claim, signal));
}

const noGithub = 'requests that are signed as GitHub signs its webhooks are not taken here';

/** Whether GitHub's form of signatures is accepted. Called only after the signature was verified, so that the
 *  log names only real senders. */
async function isGithubAllowed(
  request: string,
  { githubAllowedUntil, clock, log }: EndpointPorts,
  signal: AbortSignal,
): Promise<boolean> {
  const until = await githubAllowedUntil(signal);
  if (until === 'always') return true;
  const advice =
    'write registration.github: true into the inventory, or have the sender sign as Standard Webhooks say';
  if (until === 'never' || (until !== 'unknown' && until <= clock.now())) {
    log.warn('signature refused', { request, problem: `${noGithub}; ${advice}` });
    return false;
  }
  const end = until === 'unknown' ? '90 days after the first full pass of issue' : until.toISOString();
  log.warn('GitHub signature accepted', {
    request,
    problem: `such requests are refused from ${end} on; ${advice}`,
  });
  return true;
}

/** The parsed text; `undefined` if it is not JSON (no JSON text parses to `undefined`). */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
