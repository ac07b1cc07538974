// Reads what every direct call has in common before its function parses the rest: text, and how to answer.
import { cutText, oneLine } from '../policy/bounds.ts';
import { ConfigError } from '../ports/errors.ts';

/** The event of a call without what says how to answer it. */
export interface CallEvent {
  readonly event: unknown;
  /** Whether the caller wants the whole report in any case, and no error. */
  readonly wantsReport: boolean;
}

/** Takes `"report": true` out of an event. An event that is text is read as JSON: `serverless invoke` sends
 *  text if it is not JSON, such as a command copied out of a printed answer, with its `\"`.
 *  @throws ConfigError `Event` if the text is no JSON object, or `report` neither true nor false. */
export function readCallEvent(event: unknown): CallEvent {
  const read = typeof event === 'string' && event.trim() !== '' ? readText(event) : event;
  if (typeof read !== 'object' || read === null || !Object.hasOwn(read, 'report'))
    return { event: read, wantsReport: false };
  const { report, ...rest }: { report?: unknown } = read;
  if (typeof report !== 'boolean')
    throw new ConfigError('Event', 'invalid event: report: must be true or false');
  return { event: rest, wantsReport: report };
}

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
