// The kill matrix: for every k, the issue function's process is killed at its k-th call, and one ordinary run must put
// everything right.
import { setTimeout as pause } from 'node:timers/promises';
import { expect } from 'vitest';
import * as z from 'zod';
import { ownCalls, startTrios, type Trios, trio } from '../integration/trios.ts';
import type { Call } from '../sandbox/journal.ts';

/** Right before a call is carried out, or right after that and before its answer arrives. */
export type Side = 'before' | 'after';

/** More calls than a run makes. */
const mostCalls = 104;

/** What the matrix came to. */
export interface Outcome {
  /** The call that each process was killed at, the first one first. */
  readonly killed: readonly Call[];
  /** `k=12 before newOrder: …`: what an ordinary run did not put right. */
  readonly faults: readonly string[];
}

/** Kills at k = 1, 2, 3 … until a run is over before its k-th call; then one ordinary run is over the certificates of all. */
export async function runKillMatrix(side: Side): Promise<Outcome> {
  const numbers = Array.from({ length: mostCalls }, (_, index) => 1 + index);
  // A look at DNS before the order only reads: its calls would make the table longer and say nothing.
  const trios = await startTrios(numbers, { preflight: false });
  try {
    return await killEach(numbers, side, trios);
  } finally {
    await trios.sandbox.stop();
  }
}

async function killEach(numbers: readonly number[], side: Side, trios: Trios): Promise<Outcome> {
  const killedAt = new Map<number, Call | undefined>();
  for (const k of numbers) {
    await trios.ask(trio(k));
    const call = await killAt(k, side, trios);
    killedAt.set(k, call);
    if (!call) break;
  }
  const tried = [...killedAt.keys()];
  expect(tried.length, 'a run makes more calls than the matrix is made for').toBeLessThan(numbers.length);
  await trios.ask(tried.flatMap(trio));
  trios.endClaims();
  const healing = await trios.run();
  const { answer } = await trios.run();
  const describe = (k: number) => `k=${k} ${side} ${killedAt.get(k)?.action ?? 'nothing'}`;
  return {
    killed: [...killedAt.values()].filter((call) => call !== undefined),
    faults: [
      ...(healing.error ? [healing.error.errorMessage] : []),
      ...findDue(answer),
      ...tried.flatMap((k) => trios.findFaults(trio(k), 1).map((fault) => `${describe(k)}: ${fault}`)),
    ],
  };
}

const report = z.object({ certificates: z.array(z.object({ name: z.string(), decision: z.string() })) });

/** What a second pass would still do. */
function findDue(answer: unknown): readonly string[] {
  const left = report.parse(answer).certificates.filter(({ decision }) => decision !== 'keep');
  return left.map(({ name, decision }) => `${name}: the second run after it says ${decision}`);
}

/** One run, killed at its k-th call: that call, or `undefined` where it made fewer. */
async function killAt(k: number, side: Side, { sandbox, run }: Trios): Promise<Call | undefined> {
  const { journal, lambda } = sandbox;
  const isOwn = ownCalls();
  let made = 0;
  let target: Call | undefined;
  // Ready for the next k, as this one was made ready by the one before.
  lambda.prepare('issue');
  const stopWatching = [
    journal.before(async (call) => {
      if (!isOwn(call)) return;
      made += 1;
      if (made !== k) return;
      target = call;
      if (side === 'after') return;
      await lambda.kill('issue');
      throw new Error('the process was killed before this call');
    }),
    journal.after(async (call) => {
      if (side === 'after' && call === target) await lambda.kill('issue');
    }),
  ];
  // By name: a run over all would also look after what the others, killed before it, have left.
  const { error } = await run({ event: { certificates: trio(k).map(({ name }) => name) } });
  for (const stop of stopWatching) stop();
  if (target) expect(error, `k=${k}`).toMatchObject({ errorType: 'Runtime.ExitError' });
  else expect(error, `k=${k}`).toBeUndefined();
  // What the process had sent before it ended is still read, and belongs to no later run.
  await pause(10);
  return target;
}
