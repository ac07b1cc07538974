// The log of every function: one JSON line per event, by Powertools.
import { Logger } from '@aws-lambda-powertools/logger';
import { cutText } from '../../lib/policy/bounds.ts';
import { describeError } from '../../lib/ports/errors.ts';
import type { Log, LogEvent, LogFields } from '../../lib/ports/log.ts';
import type { LogLevel } from '../../lib/settings/functions.ts';

/** Lines carry the invocation's request id. PEM never passes, at any depth and in base64 too, whoever wrote
 *  it. No line is long, whatever its fields hold: of lists and texts the beginning is told, and how much more
 *  there is. */
export function createLog(level: LogLevel, requestId: string): Log {
  const logger = new Logger({
    serviceName: 'certrelay',
    logLevel: levels[level],
    persistentKeys: { requestId },
    jsonReplacerFn: (_, value: unknown) =>
      typeof value === 'string' && pem.test(value) ? '[PEM removed]' : value,
  });
  const line = (event: LogEvent, fields: LogFields = {}) => [event, boundFields(fields)] as const;
  return {
    debug: (event, fields) => logger.debug(...line(event, fields)),
    info: (event, fields) => logger.info(...line(event, fields)),
    warn: (event, fields) => logger.warn(...line(event, fields)),
    error: (event, fields) => logger.error(...line(event, fields)),
  };
}

const levels = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' } as const;

/** `-----BEGIN`, and the same in base64. */
const pem = /-----BEGIN|LS0tLS1CRUdJTi/;

/** What one value may have. */
interface Limits {
  readonly items: number;
  readonly characters: number;
}

/** Bytes of all fields together; CloudWatch takes 256 kB a line, and people read far less. */
const mostBytes = 32_000;

/** A certificate has at most a hundred names, each of which fits; the others are for lines with much in many
 *  fields. */
const tries: readonly Limits[] = [
  { items: 100, characters: 4_000 },
  { items: 20, characters: 400 },
  { items: 5, characters: 100 },
];

const mostDepth = 6;

function boundFields(fields: LogFields): LogFields {
  for (const limits of tries) {
    const bounded = boundObject(fields, limits, 0);
    if (Buffer.byteLength(JSON.stringify(bounded)) <= mostBytes) return bounded;
  }
  const { certificate, reason } = fields;
  const words = Object.entries({ certificate, reason }).filter(([, word]) => word !== undefined);
  return { ...boundObject(Object.fromEntries(words), { items: 2, characters: 100 }, 0), isCut: true };
}

function boundObject(value: object, limits: Limits, depth: number): Readonly<Record<string, unknown>> {
  const entries = Object.entries(value);
  const told = entries
    .slice(0, limits.items)
    .map(([key, field]): [string, unknown] => [cutText(key, 100), bound(field, limits, depth + 1)]);
  const rest = entries.length - told.length;
  return Object.fromEntries(rest > 0 ? [...told, ['…', `and ${rest} more`]] : told);
}

function bound(value: unknown, limits: Limits, depth: number): unknown {
  if (typeof value === 'string') return cutText(value, limits.characters);
  if (typeof value !== 'object' || value === null || value instanceof Date) return value;
  if (value instanceof Error) return cutText(describeError(value), limits.characters);
  if (depth > mostDepth) return '…';
  if (!Array.isArray(value)) return boundObject(value, limits, depth);
  const told: readonly unknown[] = value.slice(0, limits.items);
  const rest = value.length - told.length;
  const items = told.map((item) => bound(item, limits, depth + 1));
  return rest > 0 ? [...items, `and ${rest} more`] : items;
}
