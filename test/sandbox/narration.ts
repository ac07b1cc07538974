// Turns what the functions log into lines that a person can follow.
import * as z from 'zod';
import type { LogLine } from './lambda/server.ts';

const logLine = z.looseObject({
  level: z.string(),
  message: z.string(),
  certificate: z.string().optional(),
});

/** Fields that are the same in every line, or shown elsewhere. */
const passedOver = new Set([
  'level',
  'message',
  'timestamp',
  'service',
  'sampling_rate',
  'requestId',
  'certificate',
  'xray_trace_id',
]);

/** `issue     certificate issued: shop (orderUrl …)`; `undefined` for lines that are Lambda's own. */
export function narrate({ function: name, line }: LogLine): string | undefined {
  const parsed = parse(line);
  if (!parsed) return /^(START|END|REPORT) RequestId/.test(line) ? undefined : `${name.padEnd(9)} ${line}`;
  const { message, certificate } = parsed;
  const details = Object.entries(parsed)
    .filter(([key]) => !passedOver.has(key))
    .map(([key, value]) => `${key} ${typeof value === 'string' ? value : JSON.stringify(value)}`);
  const about = certificate === undefined ? '' : `: ${certificate}`;
  return `${name.padEnd(9)} ${message}${about}${details.length > 0 ? ` (${details.join(', ')})` : ''}`;
}

/** The event's name in a function's log line. */
export function eventOf({ line }: LogLine): string | undefined {
  return parse(line)?.message;
}

function parse(line: string): z.infer<typeof logLine> | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return logLine.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
