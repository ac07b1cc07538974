// The webhook: POST /domains asks for a certificate, /domains/{name} tells of it and takes it back. Requests
// are signed as Standard Webhooks say.
import { createEndpoint } from '../lib/adapters/webhook/endpoint.ts';
import { rememberGithubForm } from '../lib/adapters/webhook/github.ts';
import { rememberSecrets } from '../lib/adapters/webhook/secrets.ts';
import { createRegister } from '../lib/register/registration.ts';
import { createDescribeRegistration, createTakeBack } from '../lib/register/taking-back.ts';
import { defineFunction } from './runtime/define-function.ts';
import type { Invocation } from './runtime/invocation.ts';
import { connectEvents } from './wiring/event-bus.ts';
import { openIssueQueue } from './wiring/issue-queue.ts';
import { openSecrets } from './wiring/secrets.ts';

// Kept from call to call, so that a flood of requests reads the signing secret once a minute.
let connections: ReturnType<typeof connect> | undefined;

/** Answers an event of an HTTP API (payload 2.0). @throws ConfigError where settings or inventory are
 *  wrong. */
export const handler = defineFunction({
  parse: (event) => event,
  connect: (invocation) => (connections ??= connect(invocation)),
  async run(event, { githubFormOf, ...ports }, { inventory, log, clock, id, signal }) {
    const storied = { inventory, clock, log, ...ports };
    const register = createRegister(storied);
    const describe = createDescribeRegistration(storied);
    const takeBack = createTakeBack(storied);
    const githubAllowedUntil = githubFormOf(inventory.registration, log);
    const { readSecrets } = ports;
    const isOpen = inventory.registration !== undefined;
    const stories = { register, describe, takeBack };
    const answer = createEndpoint({ isOpen, readSecrets, ...stories, githubAllowedUntil, clock, log });
    return { answer: await answer(event, id, signal) };
  },
});

function connect(invocation: Invocation) {
  const { settings, clock } = invocation;
  const queue = openIssueQueue(settings, 'registrations');
  const { certificates: store, retirements, installation, readText } = openSecrets(invocation, []);
  const readSecrets = rememberSecrets((signal) => readText(settings.webhookSecret, signal), clock);
  const githubFormOf = rememberGithubForm({ installation, store, clock });
  const putEvents = connectEvents(settings, []);
  return { store, retirements, queue, readSecrets, githubFormOf, putEvents };
}
