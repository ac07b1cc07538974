// Reports how everything stands, and tells what has changed. Called by schedule and by hand.
import { channelsOf } from '../lib/policy/notices/channels.ts';
import { countOf } from '../lib/policy/words.ts';
import { type AcknowledgeRequest, parseStatusEvent } from '../lib/requests/status.ts';
import { measureInstallation } from '../lib/status/measure.ts';
import type { StatusReport } from '../lib/status/report.ts';
import { describeStatus } from '../lib/status/status.ts';
import { defineFunction } from './runtime/define-function.ts';
import { writeMetrics } from './runtime/metrics.ts';
import { connectEvents } from './wiring/event-bus.ts';
import { openNoticeQueueLazily } from './wiring/lazy-notice-queue.ts';
import { openSecrets } from './wiring/secrets.ts';

/** Answers with the report. @throws AggregateError with everything that is `Degraded`, if the event says
 *  `"check": true`, and with names that nobody knows. */
export const handler = defineFunction({
  name: 'status',
  parse: parseStatusEvent,
  connect(invocation, closing) {
    const { certificates: store, ...secrets } = openSecrets(invocation, closing);
    const { clock, log, settings, inventory } = invocation;
    const putEvents = connectEvents(settings, closing);
    const isAnybodyTold = channelsOf(inventory, settings).length > 0;
    const notices = isAnybodyTold ? openNoticeQueueLazily(settings, closing) : undefined;
    return { ...secrets, store, putEvents, notices, clock, log };
  },
  async run({ isFromWidget, ...request }, ports, { id, settings, inventory, signal, cleanUpSignal }) {
    const { prefix: installation, staleAfterMs, intervals } = settings;
    const channels = channelsOf(inventory, settings);
    const about = { installation, id, inventory, channels, staleAfterMs, intervals, signal, cleanUpSignal };
    const { report, problems } = await describeStatus(ports, { ...request, ...about });
    if (!request.certificates) writeMetrics(measureInstallation(report));
    const answer: StatusReport | string =
      isFromWidget && request.acknowledge ? answerPerson(request.acknowledge) : report;
    return { answer, failures: problems };
  },
});

/** One sentence for the person who pressed a button. */
function answerPerson({ subjects, forMs }: AcknowledgeRequest): string {
  const names = subjects.join(', ');
  const days = countOf(forMs / 86_400_000, 'day');
  return forMs === 0 ? `${names} is acknowledged no more.` : `${names} is acknowledged for ${days}.`;
}
