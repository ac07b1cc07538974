// Logs for tests: one that keeps every line, and one that keeps none.
import type { Log, LogEvent, LogFields } from '../../lib/ports/log.ts';

/** Keeps every line. */
export class FakeLog implements Log {
  readonly lines: { readonly level: string; readonly event: LogEvent; readonly fields: LogFields }[] = [];
  debug = (event: LogEvent, fields: LogFields = {}): void =>
    void this.lines.push({ level: 'debug', event, fields });
  info = (event: LogEvent, fields: LogFields = {}): void =>
    void this.lines.push({ level: 'info', event, fields });
  warn = (event: LogEvent, fields: LogFields = {}): void =>
    void this.lines.push({ level: 'warn', event, fields });
  error = (event: LogEvent, fields: LogFields = {}): void =>
    void this.lines.push({ level: 'error', event, fields });

  events(): readonly LogEvent[] {
    return this.lines.map(({ event }) => event);
  }
}

/** Keeps nothing. */
export const silentLog: Log = {
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
};
