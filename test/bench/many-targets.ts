// What many targets in five clusters cost: to deliver to, and to look at when nothing changed.
import { kubernetesParts, missing } from '../real/parts/locate.ts';
import {
  countLists,
  type FanOut,
  openFanOut,
  type Spread,
  type Subject,
  startEmbedded,
  startReal,
} from './fan-out.ts';
import { type Figure, median } from './figure.ts';

const repeats = 3;
const sizes = [1, 20, 200] as const;
/** 20 targets in each of 50 namespaces. */
const still: Spread = { targets: 1_000, namespaces: 10, perCertificate: 100, workloads: false };

/** Delivers one certificate to more and more targets, each with a workload to mark. */
export async function benchFanOut(): Promise<readonly Figure[]> {
  const embedded = await measureSizes('embedded', startEmbedded);
  const absent = missing(kubernetesParts);
  if (absent.length > 0) {
    console.error(`real API server: not here (test/real/install ${absent.join(' ')})`);
    return embedded;
  }
  return [...embedded, ...(await measureSizes('real', startReal))];
}

/** Looks at 1,000 targets that are as they should be, where Secrets may be listed. */
export async function benchReconcile(): Promise<readonly Figure[]> {
  const subjects = await startEmbedded();
  try {
    const fanOut = await openFanOut(subjects, still);
    await fanOut.renew();
    await fanOut.deploy();
    const { ms, unchanged, reads, lists, repeatedLists, patches } = await fanOut.deploy();
    const what = `a pass over ${still.targets} unchanged targets`;
    return [
      {
        what: `${what}: found unchanged`,
        unit: 'count',
        target: { exactly: still.targets },
        measured: unchanged,
      },
      {
        what: '  calls, one list a namespace',
        unit: 'count',
        target: 5 * still.namespaces,
        measured: reads + lists + repeatedLists,
      },
      { what: '  patches', unit: 'count', target: 0, measured: patches },
      { what: '  time', unit: 'ms', measured: ms },
    ];
  } finally {
    await stopAll(subjects);
  }
}

async function measureSizes(
  kind: 'embedded' | 'real',
  start: () => Promise<readonly Subject[]>,
): Promise<readonly Figure[]> {
  const subjects = await start();
  const times = new Map<number, number>();
  const figures: Figure[] = [];
  try {
    for (const targets of sizes) {
      const spread = { targets, namespaces: 4, workloads: true };
      const fanOut = await openFanOut(subjects, spread);
      const runs: FanOut[] = [];
      for (let turn = 0; turn < repeats; turn += 1) {
        await fanOut.renew();
        runs.push(await fanOut.deploy());
      }
      const ms = median(runs.map((run) => run.ms));
      times.set(targets, ms);
      figures.push(
        ...describeRuns(`one certificate to ${targets} targets, ${kind} API server`, spread, runs),
      );
      figures.push({ what: '  time', unit: 'ms', measured: ms });
    }
  } finally {
    await stopAll(subjects);
  }
  const growth = (times.get(20) ?? Number.NaN) / (times.get(1) ?? Number.NaN);
  const what = `${kind} API server: time for 20 targets / for 1`;
  return [...figures, { what, unit: 'times', target: 20, measured: growth }];
}

function describeRuns(what: string, spread: Spread, runs: readonly FanOut[]): readonly Figure[] {
  const most = (measure: (run: FanOut) => number) => Math.max(...runs.map(measure));
  const least = Math.min(...runs.map(({ delivered }) => delivered));
  const repeated = most(({ repeatedLists }) => repeatedLists);
  return [
    { what: `${what}: delivered`, unit: 'count', target: { exactly: spread.targets }, measured: least },
    {
      what: '  calls for a target, at most',
      unit: 'count',
      target: 3,
      measured: most((run) => run.mostPerTarget),
    },
    {
      what: '  and lists, one a kind and namespace',
      unit: 'count',
      target: countLists(spread),
      measured: most(({ lists }) => lists),
      note: `and ${repeated} repeated while rollouts went on`,
    },
    {
      what: '  TLS connections, one a cluster',
      unit: 'count',
      target: Math.min(spread.targets, 5),
      measured: most(({ connections }) => connections),
    },
  ];
}

async function stopAll(subjects: readonly Subject[]): Promise<void> {
  await Promise.all(subjects.map((subject) => subject.stop()));
}
