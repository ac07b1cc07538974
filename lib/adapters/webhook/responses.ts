// Makes the responses of the webhook from what its stories say.
import type { Registration, RegistrationStanding, TakeBack } from '../../ports/registration.ts';
import { type HttpResponse, jsonResponse } from './http.ts';

/** The response that tells the sender the result of a registration. */
export function toResponse(registration: Registration): HttpResponse {
  switch (registration.kind) {
    case 'accepted': {
      const { name, domains } = registration;
      const message = 'stored; the certificate is being ordered';
      return jsonResponse(202, { name, domains, status: 'ordering', message });
    }
    case 'known': {
      const { name, domains, issued } = registration;
      const message = issued
        ? 'registered before; the certificate is issued and kept'
        : 'registered before; the certificate is being ordered';
      return jsonResponse(200, { name, domains, status: issued ? 'issued' : 'ordering', message });
    }
    case 'taken': {
      const { name, message, until } = registration;
      return jsonResponse(409, { name, message, until });
    }
    case 'refused':
      return jsonResponse(422, {
        message: 'the request cannot be registered',
        problems: registration.problems,
      });
    case 'closed':
      return closed;
  }
}

/** The response that tells the sender how a name stands, or that it stays although it was to go. */
export function toStandingResponse(
  standing: RegistrationStanding | Awaited<ReturnType<TakeBack>>,
): HttpResponse {
  switch (standing.kind) {
    case 'registered': {
      const { name, domains, issued, notAfter, isKept } = standing;
      const status = issued ? 'issued' : 'ordering';
      return jsonResponse(200, { name, domains, status, notAfter, keptByOperator: isKept });
    }
    case 'leaving': {
      const { name, until, isNew } = standing;
      const end = until ? `from ${until.toISOString()} at the latest` : 'some day, which is not known yet';
      const message = `it is being given up; the name is free ${end}`;
      return jsonResponse(isNew ? 202 : 200, { name, status: 'leaving', until, message });
    }
    case 'gone': {
      const { name, until } = standing;
      const message = `it was given up; the name is free from ${until.toISOString()}`;
      return jsonResponse(200, { name, status: 'gone', until, message });
    }
    case 'kept': {
      const { name, message, reason } = standing;
      return jsonResponse(409, { name, message, reason });
    }
    case 'unknown':
      return jsonResponse(404, {
        name: standing.name,
        message: 'nothing is registered here under this name',
      });
    case 'closed':
      return closed;
  }
}

/** The response where nobody may register. */
export const closed = jsonResponse(403, {
  message: 'nothing can be registered here: the inventory has no section "registration"',
});
