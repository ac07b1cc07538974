// npm run bench: measures what Certrelay promises of its cost, and prints it beside the promise. Fails where
// a count is missed; times depend on the machine and on what else it does.
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { workloadKinds } from '../../lib/certificate/rollout-spec.ts';
import { parseInventory } from '../../lib/inventory/inventory.ts';
import { otherKinds } from '../../lib/policy/kubernetes/objects.ts';
import buildBundles from '../bundles.ts';
import { locate } from '../real/parts/locate.ts';
import { benchArrival } from './arrival.ts';
import { benchColdStartOfDeploy, benchColdStartOfIssue } from './cold-start.ts';
import { benchCommandLine } from './command-line.ts';
import { benchDashboard } from './dashboard.ts';
import { type DeliveryCalls, deliverySandbox, measureDelivery, renew } from './delivery.ts';
import { type Figure, formatFigures, isBroken, median } from './figure.ts';
import { benchFixedCost } from './fixed-cost.ts';
import { benchForecast } from './forecast.ts';
import { acmeBudget, type Issuance, measureIssuance } from './issuance.ts';
import { benchFanOut, benchReconcile } from './many-targets.ts';
import { benchNotices } from './notices.ts';
import { startPebbleSandbox } from './pebble.ts';
import { cool, startQuietSandbox } from './quiet-sandbox.ts';
import { benchGrowth, benchManyDue, benchPlanning, benchSingles } from './scale.ts';
import { benchServed } from './served.ts';
import { benchStatus } from './status.ts';
import { measureIdlePass, stock } from './stock.ts';

const repeats = 3;
const folder = await mkdtemp(join(tmpdir(), 'certrelay-bench-'));
const removeBundles = await buildBundles();
const figures: Figure[] = [];
const load = [loadavg()[0] ?? 0];
try {
  for (const measure of [
    benchIssuance,
    benchPebble,
    benchColdStartOfIssue,
    benchColdStartOfDeploy,
    benchIdlePasses,
    benchDelivery,
    benchArrival,
    benchFanOut,
    benchReconcile,
    benchSingles,
    benchManyDue,
    benchGrowth,
    benchPlanning,
    benchServed,
    benchStatus,
    benchDashboard,
    benchNotices,
    benchFixedCost,
    benchCommandLine,
    benchForecast,
  ]) {
    console.error(`${measure.name} …`);
    figures.push(...(await measure()));
    load.push(loadavg()[0] ?? 0);
  }
} finally {
  await removeBundles();
  await rm(folder, { recursive: true, force: true });
}
console.log(formatFigures(figures));
console.log(
  `\nTimes are medians on ${availableParallelism()} processors; load average meanwhile ${load.map((one) => one.toFixed(1)).join(', ')}.`,
);
if (figures.some(isBroken)) process.exitCode = 1;

async function benchIssuance(): Promise<readonly Figure[]> {
  const sandbox = await startQuietSandbox();
  try {
    await measureIssuance(sandbox, 1, 'first');
    const runs: Issuance[] = [];
    for (const count of [1, 10, 50]) runs.push(await measureIssuance(sandbox, count, `run${count}`));
    const cold: number[] = [];
    const warm: number[] = [];
    for (let turn = 0; turn < repeats; turn += 1) {
      await cool(sandbox, 'issue');
      cold.push((await measureIssuance(sandbox, 50, `cold${turn}`)).ms);
      warm.push((await measureIssuance(sandbox, 50, `warm${turn}`)).ms);
    }
    sandbox.route53.settings.insyncMs = 10_000;
    const slow = await measureIssuance(sandbox, 50, 'slow');
    return [
      ...runs.flatMap((run) => describeTraffic('', run, acmeBudget(run.certificates))),
      ...runs.map(
        ({ certificates, route53Changes }): Figure => ({
          what: `Route 53 change calls for ${certificates} certificates in one zone`,
          unit: 'count',
          target: { exactly: 2 },
          measured: route53Changes,
        }),
      ),
      timeOf('issuing 50 certificates, warm process', 3_000, warm),
      timeOf('issuing 50 certificates, cold process', 3_000, cold),
      timeOf('issuing 50 certificates, INSYNC after 10 s', 14_000, [slow.ms]),
    ];
  } finally {
    await sandbox.stop();
  }
}

async function benchPebble(): Promise<readonly Figure[]> {
  if (!locate('pebble')) return [];
  const { sandbox, authority, stopAll } = await startPebbleSandbox(folder);
  try {
    await measureIssuance(sandbox, 1, 'first', authority);
    const runs: Issuance[] = [];
    for (let turn = 0; turn < repeats; turn += 1) {
      runs.push(await measureIssuance(sandbox, 50, `run${turn}`, authority));
    }
    const traffic = runs
      .slice(0, 1)
      .flatMap((run) => describeTraffic('Pebble: ', run, acmeBudget(run.certificates, 1)));
    const times = runs.map(({ ms }) => ms);
    return [...traffic, timeOf('Pebble: issuing 50 certificates, warm process', undefined, times)];
  } finally {
    await stopAll();
  }
}

function describeTraffic(ca: string, run: Issuance, target: number): readonly Figure[] {
  const of = `${run.certificates} certificates of two names`;
  const { acmeRequests, repeatedLooks, nonceRequests, connections } = run;
  return [
    {
      what: `${ca}ACME requests for ${of}`,
      unit: 'count',
      target,
      measured: acmeRequests,
      note: `and ${repeatedLooks} repeated looks at an order`,
    },
    { what: `${ca}  of them for a nonce`, unit: 'count', target: 1, measured: nonceRequests },
    { what: `${ca}  TLS connections`, unit: 'count', target: 2, measured: connections },
  ];
}

async function benchIdlePasses(): Promise<readonly Figure[]> {
  const sandbox = await startQuietSandbox();
  const found: Figure[] = [];
  try {
    for (const count of [1, 1_000, 10_000]) {
      await stock(sandbox, count);
      const passes = [];
      for (let turn = 0; turn < repeats; turn += 1) passes.push(await measureIdlePass(sandbox, count));
      const what = `nothing due of ${count}`;
      const pages = Math.max(...passes.map(({ listPages }) => listPages));
      const others = Math.max(...passes.map((pass) => pass.others.length));
      found.push(
        {
          what: `${what}: list pages`,
          unit: 'count',
          target: { exactly: Math.ceil(count / 100) },
          measured: pages,
        },
        {
          what: `${what}: other calls`,
          unit: 'count',
          target: 0,
          measured: others,
          note: 'and 2 about the installation itself; a day’s passes also read each value once, 1,000 a pass at most',
        },
        timeOf(
          `${what}: cold process`,
          undefined,
          passes.map(({ ms }) => ms),
        ),
        {
          what: `${what}: peak memory`,
          unit: 'MB',
          target: 256,
          measured: Math.max(...passes.map(({ peakMemoryMb }) => peakMemoryMb)),
        },
      );
    }
    found.push(await timeParsing(sandbox.inventoryPath));
    return found;
  } finally {
    await sandbox.stop();
  }
}

async function timeParsing(inventoryPath: string): Promise<Figure> {
  const text = await readFile(inventoryPath, 'utf8');
  const startedAt = performance.now();
  parseInventory(text);
  const what = 'nothing due of 10000: parsing the inventory alone, first time';
  return timeOf(
    what,
    undefined,
    [performance.now() - startedAt],
    `${(text.length / 1e6).toFixed(1)} MB of YAML`,
  );
}

async function benchDelivery(): Promise<readonly Figure[]> {
  const sandbox = await startQuietSandbox(deliverySandbox);
  try {
    await renew(sandbox);
    const first = await measureDelivery(sandbox);
    await renew(sandbox);
    const changed = await measureDelivery(sandbox);
    const unchanged = await measureDelivery(sandbox);
    return [
      ...describeDelivery('a first delivery', first, 3),
      ...describeDelivery('a changed target', changed, 3),
      ...describeDelivery('an unchanged target', unchanged, 2),
    ];
  } finally {
    await sandbox.stop();
  }
}

function describeDelivery(of: string, calls: DeliveryCalls, most: number): readonly Figure[] {
  const perList = (workloadKinds.length + otherKinds.length) * calls.targets;
  return [
    {
      what: `Kubernetes calls for ${of}`,
      unit: 'count',
      target: most,
      measured: Math.max(...calls.perTarget),
    },
    {
      what: '  and lists, one a kind and namespace',
      unit: 'count',
      target: perList,
      measured: calls.lists,
      note: `and ${calls.repeatedLists} repeated while rollouts went on`,
    },
    { what: '  TLS connections', unit: 'count', target: 1, measured: calls.connections },
  ];
}

function timeOf(what: string, target: number | undefined, times: readonly number[], note?: string): Figure {
  const [least, most] = [Math.min(...times), Math.max(...times)].map((ms) => (ms / 1000).toFixed(2));
  const spread = times.length > 1 ? `${times.length} runs, ${least} to ${most} s` : undefined;
  return { what, unit: 'ms', target, measured: median(times), note: note ?? spread };
}
