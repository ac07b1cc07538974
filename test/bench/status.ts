// Measures what it costs to judge very many certificates, and to tell of them.
import { prefix, type Sandbox } from '../sandbox/sandbox.ts';
import { type Figure, median } from './figure.ts';
import { cool, type Invocation, invoke, startQuietSandbox } from './quiet-sandbox.ts';
import { stock } from './stock.ts';

const many = 10_000;
const repeats = 3;
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
    const changed = await invoke(sandbox, 'status');
    const again = await invoke(sandbox, 'status');
    return [
      ...describeFine(one, fine),
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
        note: `${(changed.ms / 1000).toFixed(1)} s here; AWS takes 50 tag requests a second, which makes 200 s of the 900 s it has`,
      },
      { what: '  and peak memory', unit: 'MB', target: 512, measured: changed.peakMemoryMb },
      { what: '  writes of the next one', unit: 'count', target: 0, measured: writesOf(again) },
    ];
  } finally {
    await sandbox.stop();
  }
}

function describeFine(one: Invocation, all: readonly Invocation[]): readonly Figure[] {
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
      note: 'see own time below',
    },
  ];
}

function writesOf({ calls }: Invocation): number {
  return calls.filter(({ action }) => /^(Put|Create|Update|Tag|Untag|Delete)/.test(action)).length;
}

function noted({ secretsManager }: Sandbox): number {
  return names().filter((name) => secretsManager.vault.mustFind(name).tags.get('certrelay:health')).length;
}

function names(): readonly string[] {
  return Array.from({ length: many }, (_, index) => `${prefix}/certificates/stock-${index}`);
}
