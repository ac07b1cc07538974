// Runs that have too little time, as Lambda gives it: they end in time, leave nothing in DNS, and what is
// left goes on by the queue. Times are a third of 60, 30, 10 and 3 seconds, and the services' delays with
// them.
import { it } from 'vitest';
import * as z from 'zod';
import { startTrios, trio } from '../integration/harness.ts';

const report = z.object({
  certificates: z.array(z.object({ outcome: z.string().optional(), message: z.string() })),
});

/** What the run has, how slow Route 53 and the CA are, and what comes of each certificate. */
const cases: readonly {
  readonly remainingMs: number;
  readonly insyncMs: number;
  readonly processingMs: number;
  readonly outcome: RegExp;
  /** Whether orders were begun, which the next run goes on with; absent where it depends on the machine. */
  readonly begun?: boolean;
}[] = [
  { remainingMs: 20_000, insyncMs: 1_000, processingMs: 1_000, outcome: /^issued: valid/, begun: true },
  {
    remainingMs: 10_000,
    insyncMs: 500,
    processingMs: 12_000,
    outcome: /^waiting: time ran out/,
    begun: true,
  },
  {
    remainingMs: 3_300,
    insyncMs: 5_000,
    processingMs: 0,
    // Where the machine is slow, there is no time to ask the CA when a renewal is due either.
    outcome: /^(waiting: t(ime ran out|oo little)|undefined: valid until)/,
  },
  {
    remainingMs: 1_000,
    insyncMs: 0,
    processingMs: 0,
    outcome: /^(waiting: too little|undefined: valid until)/,
    begun: false,
  },
];

it.concurrent.for(
  cases,
)('with $remainingMs ms left while INSYNC takes $insyncMs ms and issuing $processingMs ms', async (one, {
  expect,
  onTestFinished,
}) => {
  const { remainingMs, insyncMs, processingMs, outcome } = one;
  const trios = await startTrios([1]);
  onTestFinished(() => trios.sandbox.stop());
  const { authority, route53, queues, journal } = trios.sandbox;
  await trios.ask(trio(1));
  route53.settings.insyncMs = insyncMs;
  authority.settings.processingMs = processingMs;
  const { answer, error } = await trios.run({ remainingMs });
  expect(error).toBeUndefined();
  const told = report.parse(answer).certificates.map((one) => `${one.outcome}: ${one.message}`);
  expect(told).toEqual(told.map(() => expect.stringMatching(outcome)));
  const left = route53.list('shop.example.com').filter(({ type }) => type === 'TXT');
  expect(left.map(({ values }) => values)).toEqual([['"not-ours"']]);
  const orders = authority.orders().length;
  const begun = orders > 1;
  expect(begun).toBe(one.begun ?? begun);
  // Nobody calls the function again: what is left is in the queue, and due as soon as this run is over for
  // certain.
  route53.settings.insyncMs = 0;
  authority.settings.processingMs = 0;
  const sent = journal.find({ service: 'sqs', action: 'SendMessage', principal: 'issue' });
  expect(sent.length > 0).toBe(!told.join().includes('issued'));
  await queues.issue.untilEmpty();
  expect(trios.findFaults(trio(1))).toEqual([]);
  if (begun) expect(authority.orders().length).toBe(orders);
});
