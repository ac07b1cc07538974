// POST /domains: authenticates a request, has it registered, and says over HTTP what became of it.

import type { Clock } from '../../ports/clock.ts';
import { describeError } from '../../ports/errors.ts';
import type { Log } from '../../ports/log.ts';
import type { Register, Registration } from '../../ports/registration.ts';
import type { GithubAllowedUntil } from './github.ts';
import { answerJson, type HttpAnswer, type HttpRequest, parseHttpEvent } from './http.ts';
import type { ReadSecrets } from './secrets.ts';
import { readClaim, verifySignature } from './signature.ts';

interface EndpointPorts {
  readonly readSecrets: ReadSecrets;
  readonly register: Register;
  readonly githubAllowedUntil: GithubAllowedUntil;
  readonly clock: Clock;
  readonly log: Log;
}

/** The answer to an event of an HTTP API; it never throws. What is refused for its form, or has no signature worth
 *  checking, costs no call at all; a wrong signature costs the reading of the secrets, once a minute. */
export type Endpoint = (event: unknown, requestId: string, signal: AbortSignal) => Promise<HttpAnswer>;

/** The endpoint over the given ports. It keeps nothing from one request to the next. */
export function createEndpoint(ports: EndpointPorts): Endpoint {
  return async (event, requestId, signal) => {
    try {
      const parsed = parseHttpEvent(event);
      const answer = 'request' in parsed ? await handle(parsed.request, ports, signal) : parsed;
      ports.log.info('request answered', { status: answer.statusCode });
      return answer;
    } catch (error) {
      // What went wrong is for the log; a stranger gets what finds it there.
      ports.log.error('request failed', { status: 500, problem: describeError(error) });
      return answerJson(500, { message: 'the request failed here; it may be sent again', requestId });
    }
  };
}

async function handle(request: HttpRequest, ports: EndpointPorts, signal: AbortSignal): Promise<HttpAnswer> {
  const read = readClaim(request.headers, ports.clock.now());
  if ('problem' in read) return answerJson(401, { message: read.problem });
  if (!verifySignature(read.claim, request.body, await ports.readSecrets(signal))) {
    return answerJson(401, { message: 'the signature was not made over this body with a secret known here' });
  }
  if (read.claim.kind === 'github' && !(await isGithubTaken(read.claim.id, ports, signal))) {
    return answerJson(401, { message: `${noGithub}: sign as Standard Webhooks say` });
  }
  const body = parseJson(request.body);
  if (body === undefined) return answerJson(400, { message: 'the body is not JSON' });
  return toAnswer(await ports.register(body, read.claim.id, signal));
}

const noGithub = 'requests that are signed as GitHub signs its webhooks are not taken here';

/** Asked only of requests whose signature is right, so that the log tells the operator of senders that there really are. */
async function isGithubTaken(
  request: string,
  { githubAllowedUntil, clock, log }: EndpointPorts,
  signal: AbortSignal,
): Promise<boolean> {
  const until = await githubAllowedUntil(signal);
  if (until === 'always') return true;
  const right =
    'write registration.github: true into the inventory, or have the sender sign as Standard Webhooks say';
  if (until === 'never' || (until !== 'unknown' && until <= clock.now())) {
    log.warn('signature refused', { request, problem: `${noGithub}; ${right}` });
    return false;
  }
  const end = until === 'unknown' ? '90 days after the first full pass of issue' : until.toISOString();
  log.warn('GitHub signature accepted', {
    request,
    problem: `such are refused from ${end} on; ${right}`,
  });
  return true;
}

/** `undefined` where the text is not JSON, which no JSON text means. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toAnswer(registration: Registration): HttpAnswer {
  switch (registration.kind) {
    case 'accepted': {
      const { name, domains } = registration;
      const message = 'stored; the certificate is being ordered';
      return answerJson(202, { name, domains, status: 'ordering', message });
    }
    case 'known': {
      const { name, domains, issued } = registration;
      const message = issued
        ? 'registered before; the certificate is issued and kept'
        : 'registered before; the certificate is being ordered';
      return answerJson(200, { name, domains, status: issued ? 'issued' : 'ordering', message });
    }
    case 'taken':
      return answerJson(409, { name: registration.name, message: registration.message });
    case 'refused':
      return answerJson(422, {
        message: 'the request cannot be registered',
        problems: registration.problems,
      });
    case 'closed':
      return answerJson(403, {
        message: 'nothing can be registered here: the inventory has no section "registration"',
      });
  }
}
