// Reads what every direct call has in common before its function parses the rest: text, and how it ends.
import { cutText, oneLine } from '../policy/bounds.ts';
import { ConfigError } from '../ports/errors.ts';

/** How a call ends that had failures. `error`: with an error. `report`: with its report and the failures in
 *  it, whatever happened. `schedule`: with an error, unless `status` tells all of the failures; whatever ends
 *  the call itself is an error. */
export type CallEnding = 'error' | 'report' | 'schedule';

/** The event of a call without what says how it ends. */
export interface CallEvent {
  readonly event: unknown;
  readonly ending: CallEnding;
}

/** Takes `"report"` and `"schedule"` out of an event. An event that is text is read as JSON: `serverless
 *  invoke` sends text if it is not JSON, such as a command copied out of a printed answer, with its `\"`.
 *  @throws ConfigError `Event` if the text is no JSON object, if one of the two is neither true nor false, or
 *  if both are true. */
export function readCallEvent(event: unknown): CallEvent {
  const read = typeof event === 'string' && event.trim() !== '' ? readText(event) : event;
  const isEndingSaid =
    typeof read === 'object' && read !== null && endings.some((key) => Object.hasOwn(read, key));
  if (!isEndingSaid) return { event: read, ending: 'error' };
  const { report = false, schedule = false, ...rest }: Readonly<Record<string, unknown>> = { ...read };
  for (const [key, value] of Object.entries({ report, schedule })) {
    if (typeof value === 'boolean') continue;
    throw new ConfigError('Event', `invalid event: ${key}: must be true or false`);
  }
  if (report && schedule) {
    const problem = '"report" hides a crash from alarms, which "schedule" must not; set only one of them';
    throw new ConfigError('Event', `invalid event: ${problem}`);
  }
  return { event: rest, ending: report ? 'report' : schedule ? 'schedule' : 'error' };
}

/** Fields that every function takes. */
export const endings = ['report', 'schedule'] as const;

function readText(text: string): object {
  const read = parseJson(text) ?? parseJson(parseJson(`"${text}"`));
  if (typeof read === 'object' && read !== null && !Array.isArray(read)) return read;
  const shown = cutText(oneLine(text, 200), 100);
  const advice = `quote the whole of it for the shell, as in --data '{"certificates":["shop"]}'`;
  throw new ConfigError('Event', `the event is not a JSON object but the text ${shown}: ${advice}`);
}

function parseJson(text: unknown): unknown {
  if (typeof text !== 'string') return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
