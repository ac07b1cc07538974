// One process of one function: invoked again and again, one event at a time, until it ends.
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { type CompletionMessage, endMark, type InvocationMessage } from './messages.ts';

/** How an invocation ended in the process. */
export type Ending =
  | { readonly kind: 'answered' | 'threw'; readonly payload: string; readonly peakMemoryMb: number }
  /** The process is gone: `exit status 1`, `signal: killed`. */
  | { readonly kind: 'exited'; readonly how: string };

export interface WorkerOptions {
  /** The bundle's. */
  readonly directory: string;
  readonly memoryMb: number;
  /** Folder of what the process runs, built; absent: it reads the source. */
  readonly runtime: string | undefined;
}

export class Worker {
  readonly pid: number;
  /** Resolves when the process is gone. */
  readonly ended: Promise<void>;
  readonly #child: ChildProcess;
  #exit: string | undefined;
  #settle: ((ending: Ending) => void) | undefined;
  #awaited = { id: '', marks: 0, ending: undefined as Ending | undefined };

  /** `onLine` gets every line that the process writes, and the id of the invocation it was written in. */
  constructor(
    environment: Readonly<Record<string, string>>,
    { directory, memoryMb, runtime }: WorkerOptions,
    onLine: (line: string, id: string) => void,
  ) {
    this.#child = spawn(process.execPath, [...heapOptions(memoryMb), ...bootstrap(runtime)], {
      cwd: directory,
      env: environment,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    const { stdout, stderr, pid } = this.#child;
    if (pid === undefined || !stdout || !stderr)
      throw new Error('no process could be started for a function');
    this.pid = pid;
    for (const stream of [stdout, stderr]) {
      createInterface(stream).on('line', (line) => {
        if (line === endMark(this.#awaited.id)) this.#progress({ marks: this.#awaited.marks + 1 });
        else onLine(line, this.#awaited.id);
      });
    }
    this.#child.on('message', (message) => {
      const { failed, ...rest } = message as CompletionMessage;
      this.#progress({ ending: { kind: failed ? 'threw' : 'answered', ...rest } });
    });
    this.ended = new Promise((resolve) => {
      // After `close` both streams have been read to their ends.
      this.#child.on('close', (code, signal) => {
        this.#exit = signal === 'SIGKILL' ? 'signal: killed' : `exit status ${code ?? signal}`;
        this.#progress({ ending: { kind: 'exited', how: this.#exit }, marks: 2 });
        resolve();
      });
    });
  }

  get isGone(): boolean {
    return this.#exit !== undefined;
  }

  /** One at a time. Never rejects. */
  invoke(request: InvocationMessage): Promise<Ending> {
    return new Promise((resolve) => {
      this.#awaited = { id: request.id, marks: 0, ending: undefined };
      this.#settle = resolve;
      if (this.#exit !== undefined) this.#progress({ ending: { kind: 'exited', how: this.#exit }, marks: 2 });
      // A process that is just going away says so by `close`.
      else this.#child.send(request, () => undefined);
    });
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #progress(change: { readonly marks?: number; readonly ending?: Ending }): void {
    this.#awaited = { ...this.#awaited, ...change };
    const { ending, marks } = this.#awaited;
    if (!ending || marks < 2) return;
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.(ending);
  }
}

/** The script that a process runs, and where it keeps compiled code: what was built starts in two thirds of
 *  the time. */
function bootstrap(runtime: string | undefined): readonly string[] {
  if (runtime === undefined) return [join(import.meta.dirname, 'bootstrap.ts')];
  return [join(runtime, 'bootstrap.mjs'), join(runtime, 'compiled')];
}

/** How Lambda's Node.js runtime divides the memory: a tenth to the young generation, which has two halves. */
function heapOptions(memoryMb: number): readonly string[] {
  const young = Math.floor(memoryMb / 10);
  return [`--max-semi-space-size=${Math.floor(young / 2)}`, `--max-old-space-size=${memoryMb - young}`];
}
