// The log of every function: one JSON line per event, by Powertools.
import { Logger } from '@aws-lambda-powertools/logger';
import type { LogLevel } from '../lib/config.ts';
import type { Log } from '../lib/log.ts';

/** Lines carry the invocation's request id. PEM never passes, at any depth and in base64 too, whoever wrote it. */
export function createLog(level: LogLevel, requestId: string): Log {
  const logger = new Logger({
    serviceName: 'certrelay',
    logLevel: levels[level],
    persistentKeys: { requestId },
    jsonReplacerFn: (_, value: unknown) =>
      typeof value === 'string' && pem.test(value) ? '[PEM removed]' : value,
  });
  return {
    debug: (event, fields = {}) => logger.debug(event, fields),
    info: (event, fields = {}) => logger.info(event, fields),
    warn: (event, fields = {}) => logger.warn(event, fields),
    error: (event, fields = {}) => logger.error(event, fields),
  };
}

const levels = { debug: 'DEBUG', info: 'INFO', warn: 'WARN', error: 'ERROR' } as const;

/** `-----BEGIN`, and the same in base64. */
const pem = /-----BEGIN|LS0tLS1CRUdJTi/;
