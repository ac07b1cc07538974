// Reads rates of EventBridge Scheduler, such as `rate(6 hours)`.

const minutesOf = { minute: 1, hour: 60, day: 1440 } as const;

/** Minutes of a rate; `undefined` for other expressions. */
export function readRate(expression: unknown): number | undefined {
  const match = /^rate\(([1-9]\d*) (minute|hour|day)s?\)$/.exec(String(expression));
  if (!match) return undefined;
  const unit = match[2] === 'minute' || match[2] === 'hour' ? match[2] : 'day';
  return Number(match[1]) * minutesOf[unit];
}

/** What is wrong with a rate, or `undefined`. Other expressions are refused, because their interval is
 *  unknown. The sentence goes on after the rate itself. */
export function checkRate(expression: unknown): string | undefined {
  const minutes = readRate(expression);
  if (minutes === undefined) return 'must be like rate(6 hours), in minutes, hours or days';
  return minutes < 5 ? 'must not be shorter than rate(5 minutes)' : undefined;
}
