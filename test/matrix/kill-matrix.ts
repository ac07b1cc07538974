// The kill matrix: for every k, a run of the issue function ends at its k-th call, and one ordinary run must put everything
// right. What ends there is a process or, much faster, a run in the test's own process.
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import * as z from 'zod';
import { type Certificate, ownCalls, startTrios, type Trios, trio } from '../integration/trios.ts';
import type { Call } from '../sandbox/journal.ts';
import { runQuickly } from './quick-run.ts';

/** Right before a call is carried out, or right after that and before its answer arrives. */
export type Side = 'before' | 'after';

/** More calls than a run makes. */
const mostCalls = 90;

/** One run over some certificates, which can be ended at any moment. */
interface Mortal {
  /** Resolves when the run is over or was ended, and says which. */
  live(certificates: readonly Certificate[]): Promise<'over' | 'ended'>;
  /** Ends the run: it makes no further call, not even to clean up. */
  end(): Promise<void>;
}

/** How a run is made. */
type Begin = (trios: Trios) => Mortal;

/** A process of the production bundle, and SIGKILL. */
export const inItsProcess: Begin = ({ sandbox: { lambda }, run }) => {
  // Ready for the next run, as this one was made ready by the one before.
  lambda.prepare('issue');
  return {
    async live(certificates) {
      const { error } = await run({ event: { certificates: certificates.map(({ name }) => name) } });
      if (error) expect(error).toMatchObject({ errorType: 'Runtime.ExitError' });
      return error ? 'ended' : 'over';
    },
    end: () => lambda.kill('issue'),
  };
};

/** The production adapters in the test's own process: all that a run has under way is given up. */
export const inThisProcess: Begin = ({ sandbox }) => {
  const ending = new AbortController();
  return {
    async live(certificates) {
      const names = certificates.map(({ name }) => name);
      const running = runQuickly(sandbox, { ms: 60_000, certificates: names, end: ending.signal });
      const [result] = await Promise.allSettled([running]);
      if (ending.signal.aborted) return 'ended';
      if (result.status === 'rejected') throw result.reason;
      return 'over';
    },
    async end() {
      ending.abort();
    },
  };
};

/** What the matrix came to. */
export interface Outcome {
  /** The call that each run ended at. */
  readonly ended: readonly Call[];
  /** `k=12 before newOrder: …`: what an ordinary run did not put right. */
  readonly faults: readonly string[];
}

/** Ends runs at k = 1, 2, 3 … until one is over before its k-th call, on each of the sides; then one ordinary run is over
 *  the certificates of all. `only`: those k alone. */
export async function runKillMatrix(
  sides: readonly Side[],
  begin: Begin,
  only?: (k: number) => boolean,
): Promise<Outcome> {
  const numbers = Array.from({ length: mostCalls }, (_, call) => call + 1).filter((k) => only?.(k) ?? true);
  const lines = sides.flatMap((side, index) => numbers.map((k) => ({ side, k, number: 1000 * index + k })));
  const trios = await startTrios(
    lines.map(({ number }) => number),
    // A look at DNS before the order only reads: its calls would make the table longer and say nothing.
    { preflight: false },
  );
  try {
    const ends = [];
    for (const side of sides) {
      const own = lines.filter((line) => line.side === side);
      ends.push(...(await endEach(own, begin, trios)));
    }
    return { ended: ends.flatMap(({ call }) => call ?? []), faults: await heal(ends, trios) };
  } finally {
    await trios.sandbox.stop();
  }
}

/** One line of the table; its trio has its number. */
interface Line {
  readonly side: Side;
  readonly k: number;
  readonly number: number;
}

interface Ended extends Line {
  /** Absent where the run was over before its k-th call. */
  readonly call: Call | undefined;
}

async function endEach(lines: readonly Line[], begin: Begin, trios: Trios): Promise<readonly Ended[]> {
  const ends: Ended[] = [];
  for (const line of lines) {
    await trios.ask(trio(line.number));
    const call = await endAt(line, begin(trios), trios);
    ends.push({ ...line, call });
    if (!call) return ends;
  }
  throw new Error(`a run makes more calls than the ${mostCalls} that the matrix is made for`);
}

/** Gives what an ordinary run did not put right. */
async function heal(ends: readonly Ended[], trios: Trios): Promise<readonly string[]> {
  await trios.ask(ends.flatMap(({ number }) => trio(number)));
  trios.endClaims();
  const healing = await trios.run();
  const faults = ends.flatMap(({ side, k, number, call }) =>
    trios.findFaults(trio(number), 1).map((fault) => `k=${k} ${side} ${call?.action ?? 'nothing'}: ${fault}`),
  );
  const { answer } = await trios.run();
  return [...(healing.error ? [healing.error.errorMessage] : []), ...faults, ...findDue(answer)];
}

const report = z.object({ certificates: z.array(z.object({ name: z.string(), decision: z.string() })) });

/** What a second pass would still do. */
function findDue(answer: unknown): readonly string[] {
  const left = report.parse(answer).certificates.filter(({ decision }) => decision !== 'keep');
  return left.map(({ name, decision }) => `${name}: the second run after it says ${decision}`);
}

/** One run, ended at its k-th call: that call, or `undefined` where it made fewer. */
async function endAt(
  { side, k, number }: Line,
  run: Mortal,
  { sandbox: { journal } }: Trios,
): Promise<Call | undefined> {
  const isOwn = ownCalls();
  let made = 0;
  let target: Call | undefined;
  const stopWatching = [
    journal.before(async (call) => {
      if (!isOwn(call)) return;
      made += 1;
      if (made === k) target = call;
      if (made === k && side === 'before') await run.end();
      if (made > k || (made === k && side === 'before')) throw new Error('the run ended before this call');
    }),
    journal.after(async (call) => {
      if (side === 'after' && call === target) await run.end();
    }),
  ];
  // By name: a run over all would also look after what the others, ended before it, have left.
  const ending = await run.live(trio(number));
  expect(ending, `k=${k}`).toBe(target ? 'ended' : 'over');
  // What the run had sent before it ended is still read, and belongs to no later run.
  await pause(10);
  for (const stop of stopWatching) stop();
  return target;
}
