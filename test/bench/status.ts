// Measures what it costs to judge very many certificates, and to tell of them.
import { prefix, type Sandbox } from '../sandbox/sandbox.ts';
import { StatusLab } from '../status/harness.ts';
import { type Figure, median } from './figure.ts';
import { cool, type Invocation, invoke, startQuietSandbox } from './quiet-sandbox.ts';
import { stock } from './stock.ts';

const many = 10_000;
const repeats = 3;
/** How often `status` may be called until all is noted. */
const mostPasses = 4;
const dayMs = 86_400_000;

/** 10,000 certificates that are fine, and then as many that are not. */
export async function benchStatus(): Promise<readonly Figure[]> {
  const sandbox = await startQuietSandbox();
  try {
    await stock(sandbox, many);
    const first = await invoke(sandbox, 'status');
    const fine: Invocation[] = [];
    for (let turn = 0; turn < repeats; turn += 1) {
      await cool(sandbox, 'status');
      fine.push(await invoke(sandbox, 'status'));
    }
    const [one] = fine;
    if (!one) throw new Error('nothing was measured');
    // Somebody paused all of them yesterday, so each gets a note.
    for (const name of names()) {
      const since = new Date(Date.now() - dayMs).toISOString();
      sandbox.secretsManager.vault.mustFind(name).setTags([['certrelay:pausedSince', since]]);
    }
    await cool(sandbox, 'status');
    const passes: Invocation[] = [];
    while (noted(sandbox) < many && passes.length < mostPasses) passes.push(await invoke(sandbox, 'status'));
    const again = await invoke(sandbox, 'status');
    return [
      ...(await describeFine(one, fine)),
      {
        what: 'first status after an upgrade of 10,000: writes',
        unit: 'count',
        target: 1,
        measured: writesOf(first),
      },
      {
        what: 'status when all of 10,000 have changed: notes written',
        unit: 'count',
        target: { exactly: many },
        measured: noted(sandbox),
        note: `${(sumOf(passes) / 1000).toFixed(0)} s in ${passes.length} passes of 120 s at most; AWS takes 50 tag requests a second, which makes 200 s of the 900 s that it has there`,
      },
      {
        what: '  and peak memory',
        unit: 'MB',
        target: 512,
        measured: Math.max(...passes.map((pass) => pass.peakMemoryMb)),
      },
      { what: '  writes of the next one', unit: 'count', target: 0, measured: writesOf(again) },
    ];
  } finally {
    await sandbox.stop();
  }
}

/** Everything is in memory: what is left is its own. */
async function timeOwn(): Promise<number> {
  const lab = new StatusLab();
  for (let index = 0; index < many; index += 1) lab.keep(`c${index}`);
  await lab.ask();
  const startedAt = performance.now();
  await lab.ask();
  return performance.now() - startedAt;
}

function sumOf(passes: readonly Invocation[]): number {
  return passes.reduce((sum, { ms }) => sum + ms, 0);
}

async function describeFine(one: Invocation, all: readonly Invocation[]): Promise<readonly Figure[]> {
  const what = `status over ${many} certificates, all fine`;
  const pages = one.calls.filter(({ action }) => action === 'ListSecrets').length;
  // One more page lists the agents, one the key that agents trust.
  return [
    { what: `${what}: list pages`, unit: 'count', target: Math.ceil(many / 100) + 1, measured: pages },
    { what: '  writes', unit: 'count', target: 0, measured: Math.max(...all.map(writesOf)) },
    {
      what: '  peak memory',
      unit: 'MB',
      target: 256,
      measured: Math.max(...all.map((run) => run.peakMemoryMb)),
    },
    {
      what: '  cold process, list pages included',
      unit: 'ms',
      measured: median(all.map(({ ms }) => ms)),
    },
    { what: '  own time, judging and answering', unit: 'ms', target: 2_000, measured: await timeOwn() },
  ];
}

function writesOf({ calls }: Invocation): number {
  const writes = /^(Put|Create|Update|Tag|Untag|Delete)/;
  return calls.filter(({ action, status }) => writes.test(action) && status === 200).length;
}

function noted({ secretsManager }: Sandbox): number {
  return names().filter((name) => secretsManager.vault.mustFind(name).tags.get('certrelay:health')).length;
}

function names(): readonly string[] {
  return Array.from({ length: many }, (_, index) => `${prefix}/certificates/stock-${index}`);
}
