// What the log looks like to code that writes it: one JSON line per event, past tense, fixed fields.

/** Fields every line may have, beside those of the event. Never a key, a token or PEM. */
export interface LogFields {
  readonly certificate?: string | undefined;
  readonly names?: readonly string[] | undefined;
  readonly reason?: string | undefined;
  readonly orderUrl?: string | undefined;
  readonly version?: string | undefined;
  readonly ms?: number | undefined;
  readonly [field: string]: unknown;
}

/** `info`: something changed. `warn`: it will be tried again by itself. `error`: a person must look. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
