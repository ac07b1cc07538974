// Keeps the beginnings and ends of incidents in their order, for channels that open and close them: a trouble
// that is told after its end opens nothing.
import { hash } from 'node:crypto';
import { keyOf, type Subject } from '../policy/health/change.ts';
import type { HealthNotice, Notice } from '../policy/notices/notice.ts';
import { describeError } from '../ports/errors.ts';
import type { ClosedIncident } from '../state/channels.ts';
import type { NotifyInvocation, NotifyPorts } from './invocation.ts';

/** Incidents whose end is remembered, the newest. */
const mostClosed = 60;
/** Times that the record is written until it has what was closed: another invocation may write at the same
 *  time. */
const mostWrites = 3;

type OrderPorts = Pick<NotifyPorts, 'installation' | 'log'>;

/** The notice without troubles whose end the channel has been told since; `undefined` if nothing is left. If
 *  it cannot be read what was closed, the notice as it is. */
export async function withoutClosed(
  channel: string,
  notice: Notice,
  { installation, log }: OrderPorts,
  { signal }: NotifyInvocation,
): Promise<Notice | undefined> {
  if (notice.event !== 'Degraded') return notice;
  try {
    const closed = (await installation.read(signal))?.closedIncidents ?? [];
    const isClosed = (subject: Subject) =>
      closed.some(({ key, at }) => key === incidentKey(channel, subject) && at >= notice.at);
    const entries = notice.entries.filter(({ subject }) => !isClosed(subject));
    return entries.length > 0 ? { ...notice, entries } : undefined;
  } catch (error) {
    log.warn('installation not read', { problem: describeError(error) });
    return notice;
  }
}

/** Remembers what the channel was told to close. Never rejects. */
export async function recordClosed(
  channel: string,
  notice: Notice,
  { installation, log }: OrderPorts,
  { cleanUpSignal: signal }: NotifyInvocation,
): Promise<void> {
  if (notice.event !== 'Recovered') return;
  const own = closedBy(channel, notice);
  try {
    for (let writes = 0; writes < mostWrites; writes += 1) {
      const record = await installation.read(signal);
      if (!record) return;
      const { closedIncidents: before = [] } = record;
      const has = (one: ClosedIncident) => before.some(({ key, at }) => key === one.key && at >= one.at);
      // Of two ends of one incident the later counts, whichever comes first.
      const missing = own.slice(-mostClosed).filter((one) => !has(one));
      if (missing.length === 0) return;
      const keys = new Set(missing.map(({ key }) => key));
      const others = before.filter(({ key }) => !keys.has(key));
      await installation.recordClosed([...others, ...missing].slice(-mostClosed), signal);
    }
  } catch (error) {
    log.warn('channel not recorded', { channel, problem: describeError(error) });
  }
}

function closedBy(channel: string, { entries, others, at }: HealthNotice): readonly ClosedIncident[] {
  const subjects = [...entries.map(({ subject }) => subject), ...others];
  // Tags keep whole seconds.
  const seconds = new Date(Math.floor(at.getTime() / 1000) * 1000);
  return subjects.map((subject) => ({ key: incidentKey(channel, subject), at: seconds }));
}

function incidentKey(channel: string, subject: Subject): string {
  return hash('sha256', `${channel} ${keyOf(subject)}`).slice(0, 8);
}
