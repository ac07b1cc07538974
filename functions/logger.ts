// The log of every function: one JSON line per event, by Powertools.
import { Logger } from '@aws-lambda-powertools/logger';
import type { LogLevel } from '../lib/config.ts';
import type { Log, LogFields } from '../lib/log.ts';

/** Lines carry the invocation's request id. PEM never passes: a field that holds some is cut, whoever wrote it. */
export function createLog(level: LogLevel, requestId: string): Log {
  const logger = new Logger({
    serviceName: 'certrelay',
    logLevel: levels[level],
    persistentKeys: { requestId },
  });
  return {
    debug: (event, fields) => logger.debug(event, withoutPem(fields)),
    info: (event, fields) => logger.info(event, withoutPem(fields)),
    warn: (event, fields) => logger.warn(event, withoutPem(fields)),
    error: (event, fields) => logger.error(event, withoutPem(fields)),
  };
}

const levels = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' } as const;

function withoutPem(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      typeof value === 'string' && value.includes('-----BEGIN') ? '[PEM removed]' : value,
    ]),
  );
}
