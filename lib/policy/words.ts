// Words of messages that depend on a number.

/** A number with its noun: `1 target`, `3 targets`, `no target`. */
export function countOf(count: number, noun: string, plural = `${noun}s`): string {
  return count === 0 ? `no ${noun}` : `${count} ${count === 1 ? noun : plural}`;
}

const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];

/** How long ago something was, in milliseconds, as it is read best: `5 minutes ago`, `3 hours ago`, `1.1 days
 *  ago`. Nothing is rounded up. */
export function describeAge(ageMs: number): string {
  if (ageMs < minuteMs) return 'just now';
  if (ageMs < hourMs) return `${countOf(Math.floor(ageMs / minuteMs), 'minute')} ago`;
  if (ageMs < dayMs) return `${countOf(Math.floor(ageMs / hourMs), 'hour')} ago`;
  const days = Math.floor((ageMs * 10) / dayMs) / 10;
  return `${days} ${days === 1 ? 'day' : 'days'} ago`;
}

/** Days until an instant, for a column of numbers: `14.9`, and after it `1.1 ago`. */
export function formatDaysLeft(days: number): string {
  return days < 0 ? `${Math.abs(days).toFixed(1)} ago` : days.toFixed(1);
}
