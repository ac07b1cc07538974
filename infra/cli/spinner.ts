// Shows on a terminal that calls go on, for how long, and what they have come to.
import { hasColours, type Terminal, type TerminalStream } from './terminal.ts';
import { fitText } from './text.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const everyMs = 100;
/** A call that is over sooner shows nothing. */
const firstMs = 400;

/** A spinner that turns. */
export interface Spinner {
  /** Shows what the call has come to, behind the time. */
  readonly tell: (milestone: string) => void;
  /** Takes it away again; a second time does nothing. */
  readonly stop: () => void;
}

/** The line of a terminal that calls at the same time share. */
interface SpinnerLine {
  readonly calls: Set<{ readonly what: string; readonly startedAt: number }>;
  readonly timer: NodeJS.Timeout;
  milestone: string;
  isShown: boolean;
}

const lines = new WeakMap<TerminalStream, SpinnerLine>();

/** Where it turns, and for how long. */
interface SpinnerPlace {
  readonly terminal: Terminal;
  readonly isQuiet: boolean;
  /** Takes it away at once: the next words come before the call has ended. */
  readonly signal: AbortSignal;
}

/** Starts it; `undefined` where nobody would see it. */
export function startSpinner(what: string, { terminal, isQuiet, signal }: SpinnerPlace): Spinner | undefined {
  const { err } = terminal;
  if (isQuiet || !hasColours({ env: { TERM: terminal.env.TERM } }, err)) return undefined;
  const line = lines.get(err) ?? openLine(err);
  const call = { what, startedAt: performance.now() };
  line.calls.add(call);
  const stop = () => {
    signal.removeEventListener('abort', stop);
    if (!line.calls.delete(call) || line.calls.size > 0) return;
    clearInterval(line.timer);
    lines.delete(err);
    if (line.isShown) err.write('\r\u001b[K');
  };
  signal.addEventListener('abort', stop);
  return {
    tell: (milestone) => {
      line.milestone = milestone;
    },
    stop,
  };
}

function openLine(err: TerminalStream): SpinnerLine {
  let turn = 0;
  const timer = setInterval(() => {
    const [first, ...others] = line.calls;
    const ms = performance.now() - (first?.startedAt ?? Infinity);
    if (first === undefined || ms < firstMs) return;
    line.isShown = true;
    const names = new Set([first, ...others].map(({ what }) => what));
    const time = `${[...names].join(', ')} … ${Math.floor(ms / 1000)} s`;
    const words = line.milestone === '' ? time : `${time}, ${line.milestone}`;
    // A line that is broken could not be written over.
    err.write(`\r${frames[turn++ % frames.length]} ${fitText(words, (err.columns ?? 80) - 3)}\u001b[K`);
  }, everyMs);
  const line: SpinnerLine = { calls: new Set(), timer, milestone: '', isShown: false };
  lines.set(err, line);
  return line;
}
