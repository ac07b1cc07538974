// Decides which certificates are due, orders them and stores them. Called by schedule, by queue and by hand.

import type { AccountKeyReport } from '../lib/issue/account-key.ts';
import type { IssuePorts } from '../lib/issue/invocation.ts';
import { issueCertificates } from '../lib/issue/issue.ts';
import type { IssueReport } from '../lib/issue/report.ts';
import type { Forecast } from '../lib/policy/issuance/forecast/forecast.ts';
import { channelsOf } from '../lib/policy/notices/channels.ts';
import type { RequestQueue } from '../lib/ports/queues.ts';
import type { ForecastRequest } from '../lib/requests/forecast.ts';
import type { IssueRequest } from '../lib/requests/issue-request.ts';
import type { FunctionEvent } from '../lib/requests/requests.ts';
import { type Closing, defineQueueFunction, type Outcome } from './runtime/define-function.ts';
import { untold } from './runtime/failures.ts';
import type { Invocation } from './runtime/invocation.ts';
import { enqueueRequest, openRequestQueue } from './wiring/enqueue.ts';
import { connectEvents } from './wiring/event-bus.ts';
import { openIssueQueueLazily } from './wiring/lazy-issue-queue.ts';
import { openNoticeQueueLazily } from './wiring/lazy-notice-queue.ts';
import { generateSigningKey, openOrdering } from './wiring/ordering.ts';
import { openSecrets } from './wiring/secrets.ts';

/** What a direct call is answered with; a button's with one sentence. */
type IssueAnswer = IssueReport | Forecast | AccountKeyReport | string;

/** Answers a direct call with the report; throws if certificates failed, after all were tried. Answers a
 *  batch with the messages whose certificates failed. */
export const handler = defineQueueFunction({
  name: 'issue',
  parse,
  connect,
  async run(request, ports, invocation): Promise<Outcome<IssueAnswer>> {
    if (request.forecast) return { answer: await forecast(request.forecast, ports, invocation) };
    if (request.rotateAccountKey !== undefined) {
      const { rotateAccountKey } = await import('../lib/issue/account-key.ts');
      return { answer: await rotateAccountKey(request, ports, invocation) };
    }
    if (request.enqueue) return enqueueRequest(request, ports, 'issue', invocation);
    const { report, failures } = await issue(request, ports, invocation);
    return { answer: report, failures: [...failures.values()] };
  },
  async work(request, ports, invocation) {
    const { failures } = await issue(request, ports, invocation);
    // A message that comes again would override the backoff again; what nobody tells comes all the same.
    return 'force' in request && request.force ? untold(failures) : failures;
  },
});

/** The schedule's event is empty. The parser is loaded for other events only. */
async function parse(event: unknown): Promise<FunctionEvent<IssueRequest>> {
  const isEmpty = typeof event === 'object' && event !== null && Object.keys(event).length === 0;
  if (isEmpty) return { kind: 'request', request: {} };
  const { parseIssueEvent } = await import('../lib/requests/requests.ts');
  return parseIssueEvent(event);
}

function connect(invocation: Invocation, closing: Closing): IssuePorts & { readonly requests: RequestQueue } {
  const { settings, inventory, log, clock } = invocation;
  const secrets = openSecrets(invocation, closing);
  const { issueQueueUrl } = settings;
  const channels = channelsOf(inventory, settings);
  const isIssuedTold = channels.some(({ events }) => events.includes('Issued'));
  return {
    signingKey: (signal) => secrets.signingKey(generateSigningKey, signal),
    queue: issueQueueUrl === undefined ? undefined : openIssueQueueLazily(issueQueueUrl, closing),
    requests: openRequestQueue(issueQueueUrl, 'CERTRELAY_ISSUE_QUEUE_URL', closing),
    store: secrets.certificates,
    retirements: secrets.retirements,
    installation: secrets.installation,
    clock,
    log,
    putEvents: connectEvents(settings, closing),
    notices: isIssuedTold ? openNoticeQueueLazily(settings, closing) : undefined,
    openOrdering: () => openOrdering(invocation, secrets, closing),
  };
}

/** The code is loaded with the first forecast. */
async function forecast(request: ForecastRequest, ports: IssuePorts, invocation: Invocation) {
  const { forecastIssue } = await import('../lib/issue/forecast.ts');
  const { intervals, region, eventBus } = invocation.settings;
  return forecastIssue(request, ports, {
    inventory: invocation.inventory,
    signal: invocation.signal,
    surroundings: { intervals, region, hasEventBus: eventBus !== undefined },
  });
}

function issue(request: IssueRequest, ports: IssuePorts, invocation: Invocation) {
  return issueCertificates(request, ports, {
    ...invocation,
    issueIntervalMs: invocation.settings.intervals.issue,
  });
}
