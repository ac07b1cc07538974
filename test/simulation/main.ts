// npm run simulate: runs simulations from seeds, and prints what it takes to see a failure again.
import { parseArgs } from 'node:util';
import { simulate } from './run.ts';

const usage =
  'usage: npm run simulate -- [--seed N] [--runs R] [--days D] [--events N] [--check-determinism] [--keep-going]';
/** By what was broken; 2: the command line; 5: the same seed gave two histories. */
const exitCodes = { safety: 3, liveness: 4, crash: 6 } as const;
const nondeterministic = 5;
const eventsShown = 20;

function readOptions() {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      runs: { type: 'string', default: '1' },
      days: { type: 'string' },
      events: { type: 'string', default: String(eventsShown) },
      'check-determinism': { type: 'boolean', default: false },
      'keep-going': { type: 'boolean', default: false },
    },
  });
  const number = (text: string | undefined) => {
    if (text === undefined) return undefined;
    if (!/^\d{1,9}$/.test(text)) throw new TypeError(`"${text}" is not a whole number`);
    return Number(text);
  };
  const seed = number(values.seed) ?? Math.floor(Math.random() * 1e9);
  return {
    seed,
    runs: number(values.runs) ?? 1,
    days: number(values.days),
    events: number(values.events) ?? eventsShown,
    checks: values['check-determinism'],
    keepsGoing: values['keep-going'],
  };
}

let asked: ReturnType<typeof readOptions>;
try {
  asked = readOptions();
} catch (error) {
  console.error(`${error instanceof Error ? error.message : String(error)}\n${usage}`);
  process.exit(2);
}
const { seed: first, runs, days, events, checks, keepsGoing } = asked;
let exitCode = 0;
for (let seed = first; seed < first + runs; seed += 1) {
  const startedAt = performance.now();
  const result = await simulate(String(seed), days);
  const { options, violation, hash, calls, endedAt } = result;
  const ms = Math.round(performance.now() - startedAt);
  const replay = `npm run simulate -- --seed ${seed}${days === undefined ? '' : ` --days ${days}`}`;
  const how = violation ? violation.kind.toUpperCase() : 'passed';
  console.log(
    `seed ${seed}: ${how} after ${calls} calls, until ${endedAt.toISOString()}, ${ms} ms, events ${hash.slice(0, 12)}`,
  );
  if (violation && keepsGoing) console.log(`  ${violation.message}`);
  else if (runs === 1 || violation) console.log(describe(options));
  if (checks && (await simulate(String(seed), days)).hash !== hash) {
    console.error(`seed ${seed} gave two histories; again with: ${replay} --check-determinism`);
    process.exit(nondeterministic);
  }
  if (!violation) continue;
  exitCode = exitCodes[violation.kind];
  if (keepsGoing) continue;
  console.error(`${violation.at.toISOString()}: ${violation.message}`);
  console.error(`the last ${events} events:\n  ${result.events.slice(-events).join('\n  ')}`);
  console.error(`again with: ${replay}`);
  break;
}
process.exitCode = exitCode;

/** The drawn options, one a line. */
function describe({
  inventory,
  workloads,
  ...rest
}: Awaited<ReturnType<typeof simulate>>['options']): string {
  const lines = [
    ...Object.entries(rest).map(([name, value]) => `${name}: ${JSON.stringify(value)}`),
    ...inventory.certificates.map((one) => `certificate ${JSON.stringify(one)}`),
    ...workloads.map((one) => `workload ${JSON.stringify(one)}`),
  ];
  return lines.map((line) => `  ${line}`).join('\n');
}
