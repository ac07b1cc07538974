// Shows on a terminal that a call goes on, and for how long.
import { hasColours, type Terminal } from './terminal.ts';

const frames = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const everyMs = 100;
/** A call that is over sooner shows nothing. */
const firstMs = 400;

/** Starts it; the function that is returned takes it away again. */
export function startSpinner(
  what: string,
  { terminal, isQuiet }: { readonly terminal: Terminal; readonly isQuiet: boolean },
): () => void {
  const { err } = terminal;
  if (isQuiet || !hasColours({ env: { TERM: terminal.env.TERM } }, err)) return () => undefined;
  const startedAt = performance.now();
  let turn = 0;
  let isShown = false;
  const timer = setInterval(() => {
    const ms = performance.now() - startedAt;
    if (ms < firstMs) return;
    isShown = true;
    err.write(`\r${frames[turn++ % frames.length]} ${what} … ${Math.floor(ms / 1000)} s\u001b[K`);
  }, everyMs);
  return () => {
    clearInterval(timer);
    if (isShown) err.write('\r\u001b[K');
  };
}
