// The kill matrix: for every k, a process of the issue function is killed at its k-th call, and one ordinary
// run must put everything right.
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import * as z from 'zod';
import { ownCalls, startTrios, type Trios, trio } from '../integration/harness.ts';
import type { Call } from '../sandbox/journal.ts';

/** Right before a call is carried out, or right after that and before its answer arrives. */
export type Side = 'before' | 'after';

/** More calls than a run makes. */
const mostCalls = 90;

/** What the matrix came to. */
export interface Outcome {
  /** The call that each run ended at. */
  readonly ended: readonly Call[];
  /** `k=12 before newOrder: …`: what an ordinary run did not put right. */
  readonly faults: readonly string[];
}

/** Kills a process of the production bundle at k = 1, 2, 3 … until a run is over before its k-th call; then
 *  one ordinary run is over the certificates of all. `only`: those k alone. */
export async function runKillMatrix(side: Side, only: (k: number) => boolean = () => true): Promise<Outcome> {
  const numbers = Array.from({ length: mostCalls }, (_, call) => call + 1).filter(only);
  // A look at DNS before the order only reads: its calls would make the table longer and say nothing.
  const trios = await startTrios(numbers, { preflight: false });
  try {
    const ends: Ended[] = [];
    for (const k of numbers) {
      const call = await endAt(k, side, trios);
      ends.push({ k, call });
      if (!call)
        return { ended: ends.flatMap((end) => end.call ?? []), faults: await heal(side, ends, trios) };
    }
    throw new Error(`a run makes more calls than the ${mostCalls} that the matrix is made for`);
  } finally {
    await trios.sandbox.stop();
  }
}

/** One line of the table; its trio has the number k. */
interface Ended {
  readonly k: number;
  /** What the run was killed at; absent where it was over before its k-th call. */
  readonly call: Call | undefined;
}

/** Gives what an ordinary run did not put right. */
async function heal(side: Side, ends: readonly Ended[], trios: Trios): Promise<readonly string[]> {
  await trios.ask(ends.flatMap(({ k }) => trio(k)));
  trios.endClaims();
  const healing = await trios.run();
  const faults = ends.flatMap(({ k, call }) =>
    trios.findFaults(trio(k), 1).map((fault) => `k=${k} ${side} ${call?.action ?? 'nothing'}: ${fault}`),
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

/** One run, killed at its k-th call: that call, or `undefined` where it made fewer. */
async function endAt(k: number, side: Side, trios: Trios): Promise<Call | undefined> {
  const { journal, lambda } = trios.sandbox;
  await trios.ask(trio(k));
  // Ready for the next run, as this one was made ready by the one before.
  lambda.prepare('issue');
  const isOwn = ownCalls();
  let made = 0;
  let target: Call | undefined;
  const stopWatching = [
    journal.before(async (call) => {
      if (!isOwn(call)) return;
      made += 1;
      if (made === k) target = call;
      if (made === k && side === 'before') await lambda.kill('issue');
      if (made > k || (made === k && side === 'before')) throw new Error('the run ended before this call');
    }),
    journal.after(async (call) => {
      if (side === 'after' && call === target) await lambda.kill('issue');
    }),
  ];
  // By name: a run over all would also look after what the others, ended before it, have left.
  const { error } = await trios.run({ event: { certificates: trio(k).map(({ name }) => name) } });
  expect(error, `k=${k}`).toEqual(target && expect.objectContaining({ errorType: 'Runtime.ExitError' }));
  // What the run had sent before it ended is still read, and belongs to no later run.
  await pause(10);
  for (const stop of stopWatching) stop();
  return target;
}
