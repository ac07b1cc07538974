// Counts renewals by day: the calendar of what lies ahead.

/** What the calendar needs of one certificate; the certificates of `status` have it. */
export interface CalendarCertificate {
  readonly name: string;
  /** When its next renewal falls due. Absent: nobody knows, or there is none. */
  readonly renewsAt?: Date | undefined;
  /** When the version in use began. Absent: only the next renewal is counted. Present: also those after it,
   *  each after as long as this one. */
  readonly notBefore?: Date | undefined;
}

/** One day, in UTC. */
export interface CalendarDay {
  /** `2026-12-01`. */
  readonly day: string;
  /** Renewals that fall due on it. The first day also has those that are overdue. */
  readonly renewals: number;
  /** Names of certificates that are renewed on it, each once: the first ones due, then by name. */
  readonly names: readonly string[];
  /** Further names that there was no room for. */
  readonly omitted: number;
}

/** The renewals of the next days. */
export interface RenewalCalendar {
  /** Every day, also those without a renewal; the first is that of `from`. */
  readonly days: readonly CalendarDay[];
  /** How many of the first day's renewals were due before `from`. */
  readonly overdue: number;
}

/** Which days to count. */
export interface CalendarPeriod {
  readonly from: Date;
  /** How many days; 1 to 400. */
  readonly days: number;
  /** The most names of one day. */
  readonly mostNames: number;
}

const dayMs = 86_400_000;
/** Far more than certificates of a day have in 400 days. */
const mostRenewals = 1_000;

/** Counts the renewals that fall due on each of the next days, by UTC day. An order follows within one
 *  interval of `issue`. */
export function renewalsByDay(
  certificates: Iterable<CalendarCertificate>,
  { from, days, mostNames }: CalendarPeriod,
): RenewalCalendar {
  const first = Math.floor(from.getTime() / dayMs);
  const found = Array.from({ length: days }, () => ({ renewals: 0, due: new Map<string, number>() }));
  let overdue = 0;
  for (const certificate of certificates) {
    for (const at of renewalsOf(certificate, from, (first + days) * dayMs)) {
      if (at < from.getTime()) overdue += 1;
      const day = found[Math.max(0, Math.floor(at / dayMs) - first)];
      if (!day) continue;
      day.renewals += 1;
      if (!day.due.has(certificate.name)) day.due.set(certificate.name, at);
    }
  }
  return { days: found.map((day, index) => describeDay(day, first + index, mostNames)), overdue };
}

/** Instants of its renewals before `end`, in milliseconds. One that is overdue happens now, the next so long
 *  after that. */
function renewalsOf(
  { renewsAt, notBefore }: CalendarCertificate,
  from: Date,
  end: number,
): readonly number[] {
  if (renewsAt === undefined) return [];
  const first = renewsAt.getTime();
  const everyMs = notBefore === undefined ? 0 : first - notBefore.getTime();
  const times = [first];
  const second = Math.max(first, from.getTime()) + everyMs;
  for (let at = second; everyMs > 0 && at < end && times.length < mostRenewals; at += everyMs) times.push(at);
  return times.filter((at) => at < end);
}

function describeDay(
  { renewals, due }: { readonly renewals: number; readonly due: ReadonlyMap<string, number> },
  index: number,
  mostNames: number,
): CalendarDay {
  const names = [...due]
    .toSorted(([one, oneAt], [other, otherAt]) => oneAt - otherAt || (one < other ? -1 : 1))
    .map(([name]) => name);
  return {
    day: new Date(index * dayMs).toISOString().slice(0, 10),
    renewals,
    names: names.slice(0, mostNames),
    omitted: Math.max(0, names.length - mostNames),
  };
}
