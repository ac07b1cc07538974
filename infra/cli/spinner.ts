// Shows on a terminal that a call goes on, for how long, and what it has come to.
import { hasColours, type Terminal } from './terminal.ts';
import { fitText } from './text.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const everyMs = 100;
/** A call that is over sooner shows nothing. */
const firstMs = 400;

/** A spinner that turns. */
export interface Spinner {
  /** Shows what the call has come to, behind the time. */
  readonly tell: (milestone: string) => void;
  /** Takes it away again. */
  readonly stop: () => void;
}

/** Starts it; `undefined` where nobody would see it. */
export function startSpinner(
  what: string,
  { terminal, isQuiet }: { readonly terminal: Terminal; readonly isQuiet: boolean },
): Spinner | undefined {
  const { err } = terminal;
  if (isQuiet || !hasColours({ env: { TERM: terminal.env.TERM } }, err)) return undefined;
  const startedAt = performance.now();
  let turn = 0;
  let isShown = false;
  let milestone = '';
  const timer = setInterval(() => {
    const ms = performance.now() - startedAt;
    if (ms < firstMs) return;
    isShown = true;
    const time = `${what} … ${Math.floor(ms / 1000)} s`;
    // A line that is broken could not be written over.
    const words = fitText(milestone === '' ? time : `${time}, ${milestone}`, (err.columns ?? 80) - 3);
    err.write(`\r${frames[turn++ % frames.length]} ${words}\u001b[K`);
  }, everyMs);
  return {
    tell: (words) => {
      milestone = words;
    },
    stop: () => {
      clearInterval(timer);
      if (isShown) err.write('\r\u001b[K');
    },
  };
}
