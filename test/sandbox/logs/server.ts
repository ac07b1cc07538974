// Amazon CloudWatch Logs for the sandbox: FilterLogEvents of its AWS JSON 1.1 protocol, over what the
// functions have written.
import * as z from 'zod';
import { answer, readJson, refuse } from '../aws-json.ts';
import { type Part, type RunningServer, type Surroundings, serve } from '../http-server.ts';
import type { LogLine } from '../lambda/server.ts';
import { readSignature } from '../principal.ts';

/** Lines of functions, each in the log group of its function. */
export interface LogsOptions extends Surroundings {
  /** Short names: each has a log group, whether it has run or not. */
  readonly functions: readonly string[];
  /** In order; more may come. */
  readonly lines: readonly LogLine[];
  /** How many lines one call searches: what it has not reached is behind its token. */
  readonly searched?: number | undefined;
}

const namePrefix = '/aws/lambda/certrelay-dev-';
const time = z.number().int().min(0);
const input = z.strictObject({
  logGroupName: z.string().regex(/^[\w./#-]{1,512}$/),
  filterPattern: z.string().max(1024).optional(),
  startTime: time.optional(),
  endTime: time.optional(),
  limit: z.number().int().min(1).max(10_000).default(10_000),
  nextToken: z.string().regex(/^\d+$/).optional(),
});

/** Starts it. Only signed requests are answered. Of filter patterns it knows those for JSON that compare
 *  fields with texts, joined by `||`. */
export async function startLogs({
  functions,
  lines,
  searched = 10_000,
  ...surroundings
}: LogsOptions): Promise<RunningServer> {
  const part: Part = {
    service: 'logs',
    describe(request) {
      const action = /^Logs_20140328\.(\w+)$/.exec(String(request.headers['x-amz-target'] ?? ''))?.[1];
      if (action === undefined) return undefined;
      const { principal = 'unknown', region = '' } = readSignature(request.headers.authorization) ?? {};
      const group = input.safeParse(readJson(request)).data?.logGroupName ?? '*';
      return { action, resource: `arn:aws:logs:${region}:123456789012:log-group:${group}`, principal };
    },
    handle(request) {
      if (readSignature(request.headers.authorization)?.service !== 'logs')
        return refuse('MissingAuthenticationTokenException', 403, 'Missing Authentication Token');
      if (request.headers['x-amz-target'] !== 'Logs_20140328.FilterLogEvents')
        return refuse('UnknownOperationException', 400, 'There is no such operation here.');
      const { data, error } = input.safeParse(readJson(request));
      if (error) return refuse('InvalidParameterException', 400, z.prettifyError(error));
      const name = functions.find((one) => `${namePrefix}${one}` === data.logGroupName);
      if (name === undefined)
        return refuse('ResourceNotFoundException', 400, 'The specified log group does not exist.');
      const matches = readPattern(data.filterPattern ?? '');
      if (!matches) return refuse('InvalidParameterException', 400, 'Invalid filter pattern');
      const { startTime = 0, endTime = Number.MAX_SAFE_INTEGER, limit } = data;
      const written = lines
        .map((one, index) => ({ ...one, index, ms: one.at.getTime() }))
        .filter((one) => one.function === name && one.ms >= startTime && one.ms <= endTime);
      const first = Number(data.nextToken ?? 0);
      const next = first + Math.min(limit, searched);
      const found = written.slice(first, next).filter(({ line }) => matches(line));
      const events = found.map(({ line, ms, index, requestId }) => ({
        logStreamName: requestId,
        timestamp: ms,
        ingestionTime: ms,
        message: `${line}\n`,
        eventId: String(index),
      }));
      const more = next < written.length ? { nextToken: String(next) } : {};
      return answer(200, { events, searchedLogStreams: [], ...more });
    },
    refuse,
    denials: {
      denied: { code: 'AccessDeniedException', status: 400 },
      unknown: { code: 'UnrecognizedClientException', status: 400 },
    },
  };
  return serve(part, surroundings);
}

/** What a pattern takes; an empty one takes everything. `undefined` for one that nobody here knows. */
function readPattern(pattern: string): ((line: string) => boolean) | undefined {
  if (pattern.trim() === '') return () => true;
  const [, inner] = /^\s*\{(.*)\}\s*$/s.exec(pattern) ?? [];
  const terms = inner?.split('||').map((term) => {
    const [, field, text] = /^\s*\(\s*\$\.(\w+)\s*=\s*"([^"*\\]*)"\s*\)\s*$/.exec(term) ?? [];
    return field === undefined || text === undefined ? undefined : { field, text };
  });
  if (!terms || terms.includes(undefined)) return undefined;
  return (line) => {
    const fields = readFields(line);
    return terms.some((term) => term !== undefined && fields[term.field] === term.text);
  };
}

function readFields(line: string): Readonly<Record<string, unknown>> {
  try {
    return Object(JSON.parse(line));
  } catch {
    return {};
  }
}
