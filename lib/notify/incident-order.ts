// Keeps the beginnings and ends of incidents in their order, for channels that open and close them: what is
// told after something newer of the same trouble opens and closes nothing.
import { hash } from 'node:crypto';
import { keyOf, type Subject } from '../policy/health/change.ts';
import type { HealthNotice, Notice } from '../policy/notices/notice.ts';
import { describeError } from '../ports/errors.ts';
import type { ToldIncident } from '../state/channels.ts';
import type { NotifyInvocation, NotifyPorts } from './invocation.ts';

/** Incidents that are remembered, those told last. */
const mostTold = 60;
/** Times that the record is written until it has what was told: another invocation may write at the same
 *  time. */
const mostWrites = 3;

type OrderPorts = Pick<NotifyPorts, 'installation' | 'log'>;

/** The notice without what the channel has been told newer things of; `undefined` if nothing is left. If it
 *  cannot be read what was told, the notice as it is. */
export async function withoutOutdated(
  channel: string,
  notice: Notice,
  { installation, log }: OrderPorts,
  { signal }: NotifyInvocation,
): Promise<Notice | undefined> {
  if (!isHealth(notice)) return notice;
  try {
    const told = (await installation.read(signal))?.toldIncidents ?? [];
    return keep(notice, (subject) => {
      const key = incidentKey(channel, subject);
      return !told.some((one) => one.key === key && isNewer(one, notice));
    });
  } catch (error) {
    log.warn('installation not read', { problem: describeError(error) });
    return notice;
  }
}

/** An end counts for what began in the same second. */
function isNewer(last: ToldIncident, { event, at }: HealthNotice): boolean {
  if (event === 'Degraded') return !last.isOpen && last.at >= at;
  return last.isOpen === true && last.at > at;
}

/** Divides a notice of which a channel has taken the first so many incidents. `undefined`: nothing. */
export function divide(
  notice: Notice,
  count: number,
): Readonly<Record<'told' | 'left', HealthNotice | undefined>> {
  if (!isHealth(notice)) return { told: undefined, left: undefined };
  const first = new Set(subjectsOf(notice).slice(0, count));
  return {
    told: keep(notice, (subject) => first.has(subject)),
    left: keep(notice, (subject) => !first.has(subject)),
  };
}

/** Remembers what the channel was told to open or to close. Never rejects. */
export async function recordTold(
  channel: string,
  notice: Notice,
  { installation, log }: OrderPorts,
  { cleanUpSignal: signal }: NotifyInvocation,
): Promise<void> {
  if (!isHealth(notice)) return;
  const own = toldBy(channel, notice);
  try {
    for (let writes = 0; writes < mostWrites; writes += 1) {
      const record = await installation.read(signal);
      if (!record) return;
      const { toldIncidents: before = [] } = record;
      const has = (one: ToldIncident) => before.some(({ key, at }) => key === one.key && at >= one.at);
      // Of two ends of one incident the later counts, whichever comes first.
      const missing = own.slice(-mostTold).filter((one) => !has(one));
      if (missing.length === 0) return;
      const keys = new Set(missing.map(({ key }) => key));
      const others = before.filter(({ key }) => !keys.has(key));
      await installation.recordIncidents([...others, ...missing].slice(-mostTold), signal);
    }
  } catch (error) {
    log.warn('channel not recorded', { channel, problem: describeError(error) });
  }
}

function toldBy(channel: string, notice: HealthNotice): readonly ToldIncident[] {
  // Tags keep whole seconds.
  const at = new Date(Math.floor(notice.at.getTime() / 1000) * 1000);
  const state = notice.event === 'Degraded' ? { isOpen: true as const } : {};
  return subjectsOf(notice).map((subject) => ({ key: incidentKey(channel, subject), at, ...state }));
}

function isHealth(notice: Notice): notice is HealthNotice {
  return notice.event === 'Degraded' || notice.event === 'Recovered';
}

/** In the order in which a channel is told of them. */
function subjectsOf({ entries, others }: HealthNotice): readonly Subject[] {
  return [...entries.map(({ subject }) => subject), ...others];
}

function keep(notice: HealthNotice, isKept: (subject: Subject) => boolean): HealthNotice | undefined {
  const entries = notice.entries.filter(({ subject }) => isKept(subject));
  const others = notice.others.filter(isKept);
  return entries.length + others.length > 0 ? { ...notice, entries, others } : undefined;
}

function incidentKey(channel: string, subject: Subject): string {
  return hash('sha256', `${channel} ${keyOf(subject)}`).slice(0, 8);
}
