// Measures cold starts of functions, each against importing the client that it cannot do without and nothing
// else.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import * as z from 'zod';
import { buildFunctions } from '../../infra/build/build.ts';
import { credentialsOf, type Sandbox } from '../sandbox/sandbox.ts';
import { deliverySandbox, renew } from './delivery.ts';
import { type Figure, median } from './figure.ts';
import { invoke, startQuietSandbox } from './quiet-sandbox.ts';
import { stock } from './stock.ts';

const run = promisify(execFile);
const repeats = 9;
const timing = z.object({
  nodeMs: z.number(),
  importMs: z.number(),
  answerMs: z.number(),
  againMs: z.number(),
});

/** `issue` that finds nothing due, against AWS's client for Secrets Manager. */
export async function benchColdStartOfIssue(): Promise<readonly Figure[]> {
  const sandbox = await startQuietSandbox();
  try {
    await stock(sandbox, 1);
    const starts = await measureColdStarts(sandbox, { name: 'issue', event: {}, alone: 'secrets-manager' });
    const first = 'cold start of issue to "nothing is due" / to the SDK client imported';
    return [
      {
        ...ratio(first, starts, ({ own, alone }) => sum(own) / ready(alone)),
        target: 2,
        note: describe(starts),
      },
      ratio('  importing alone', starts, ({ own, alone }) => own.importMs / alone.importMs),
      ratio(
        '  both with their answer (of the SDK client one list page)',
        starts,
        ({ own, alone }) => sum(own) / sum(alone),
      ),
    ];
  } finally {
    await sandbox.stop();
  }
}

/** `deploy` that finds its targets unchanged, against the Kubernetes client. */
export async function benchColdStartOfDeploy(): Promise<readonly Figure[]> {
  const sandbox = await startQuietSandbox(deliverySandbox);
  const event = { certificates: ['shop'] };
  try {
    await renew(sandbox);
    await invoke(sandbox, 'deploy', event);
    const starts = await measureColdStarts(sandbox, { name: 'deploy', event, alone: 'kubernetes' });
    const first = 'cold start of deploy until it takes events / to the Kubernetes client imported';
    const whole = '  until it has answered the first, less what a warm answer takes';
    return [
      {
        ...ratio(first, starts, ({ own, alone }) => ready(own) / ready(alone)),
        target: 1.2,
        note: describe(starts),
      },
      { ...ratio(whole, starts, ({ own, alone }) => (sum(own) - own.againMs) / ready(alone)), target: 1.2 },
    ];
  } finally {
    await sandbox.stop();
  }
}

/** What one fresh process took, in milliseconds: Node itself, importing the bundle, the handler's answer, and
 *  the answer to the same event once more: what a warm function takes. */
type Start = z.output<typeof timing>;

/** Two fresh processes, one right after the other, so that both find the machine as busy. */
interface ColdStart {
  readonly own: Start;
  /** The bundle of `test/bench/alone`; its answer is what its handler says. */
  readonly alone: Start;
}

/** A function with the event it is called with, and the bundle it is measured against. */
interface Subject {
  readonly name: 'issue' | 'deploy';
  readonly event: object;
  readonly alone: 'secrets-manager' | 'kubernetes';
}

/** The project's bundle holds what the sandbox's inventory says now, as it is deployed. */
async function measureColdStarts(
  sandbox: Sandbox,
  { name, event, alone }: Subject,
): Promise<readonly ColdStart[]> {
  const outFolder = await mkdtemp(join(tmpdir(), 'certrelay-cold-'));
  try {
    for (const sourceFolder of [
      join(import.meta.dirname, 'alone'),
      join(import.meta.dirname, '../../functions'),
    ]) {
      await buildFunctions({ sourceFolder, outFolder, inventoryFile: sandbox.inventoryPath });
    }
    const starts: ColdStart[] = [];
    for (let turn = 0; turn < repeats; turn += 1) {
      const other = await start(sandbox, 'operator', join(outFolder, alone, 'index.js'), {});
      const own = await start(sandbox, name, join(outFolder, name, 'index.js'), event);
      starts.push({ own, alone: other });
    }
    return starts;
  } finally {
    await rm(outFolder, { recursive: true, force: true });
  }
}

/** Plain JavaScript, so that nothing is compiled that is not measured. The client loads node:http for the
 *  sandbox's endpoint alone: on AWS it needs only node:https, which it loads in any case. So that is in no
 *  figure. */
const script = `
const [, bundle, event] = process.argv;
const nodeMs = performance.now();
await import('node:http');
const startedAt = performance.now();
const { handler } = await import(bundle);
const importedAt = performance.now();
const call = () => handler(JSON.parse(event), { awsRequestId: 'bench', getRemainingTimeInMillis: () => 60_000 });
await call();
const answeredAt = performance.now();
await call();
const [answerMs, againMs] = [answeredAt - importedAt, performance.now() - answeredAt];
process.stderr.write(JSON.stringify({ nodeMs, importMs: importedAt - startedAt, answerMs, againMs }) + '\\n');
`;

async function start(
  { environment }: Sandbox,
  principal: string,
  bundle: string,
  event: object,
): Promise<Start> {
  // As deployed where nothing is set, and as on Lambda: no AWS configuration of this machine is read.
  const { CERTRELAY_INVENTORY: _, CERTRELAY_RESOLVERS: __, ...settings } = environment;
  const env = { ...settings, ...credentialsOf(principal), HOME: '/nonexistent' };
  const args = ['--input-type=module', '--eval', script, bundle, JSON.stringify(event)];
  const { stderr } = await run(process.execPath, args, { env });
  return timing.parse(JSON.parse(stderr.trim().split('\n').at(-1) ?? ''));
}

function ratio(what: string, starts: readonly ColdStart[], measure: (start: ColdStart) => number): Figure {
  return { what, unit: 'times', measured: median(starts.map(measure)) };
}

function describe(starts: readonly ColdStart[]): string {
  const parts = (of: 'own' | 'alone') =>
    (['nodeMs', 'importMs', 'answerMs'] as const)
      .map((part) => median(starts.map((start) => start[of][part])).toFixed(0))
      .join(' + ');
  return `Node + import + answer in ms: ${parts('own')} / ${parts('alone')}`;
}

/** Until a call can be made. */
function ready({ nodeMs, importMs }: Start): number {
  return nodeMs + importMs;
}

function sum({ nodeMs, importMs, answerMs }: Start): number {
  return nodeMs + importMs + answerMs;
}
