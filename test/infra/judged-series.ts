// The series that `status` writes over virtual time, for stories of alarms: an installation that is changed
// by its functions and by people is judged at each of its runs.
import { describeProgress } from '../../lib/policy/delivery/progress.ts';
import { measureInstallation } from '../../lib/status/measure.ts';
import { targetOf } from '../minting/targets.ts';
import { at, dayMs, StatusLab } from '../status/harness.ts';

/** What `status` measures at a second of the time line; `undefined`: it does not run. */
export type Judged = (
  second: number,
) => { readonly certificates?: number; readonly others?: number } | undefined;

type Runner = 'issue' | 'deploy' | 'probe' | 'status' | 'agent';

/** What happens to an installation that is well. Second 0 is `now` of the harness. */
export interface Play {
  /** What is there from the first second. */
  readonly prepare?: (lab: StatusLab) => void;
  /** What changes, and when, in seconds. */
  readonly acts?: readonly (readonly [second: number, act: (lab: StatusLab) => void])[];
  /** From when to when something does not run, in seconds. */
  readonly silent?: Partial<Readonly<Record<Runner, readonly [number, number]>>>;
}

/** The series, and which reasons were `Degraded` in it. */
export interface JudgedSeries {
  readonly judged: Judged;
  readonly reasons: ReadonlySet<string>;
}

/** Seconds between two runs. */
const rates = { issue: 6 * 3_600, deploy: 3_600, probe: 1_800, agent: 300 } as const;

/** Plays it and judges at each of the seconds, which are in order. */
export async function judgeOver(play: Play, seconds: readonly number[]): Promise<JudgedSeries> {
  const lab = new StatusLab();
  const target = targetOf({ cluster: 'edge' });
  lab.keep('calm', { notBefore: at(-30 * dayMs), notAfter: at(60 * dayMs) }, { targets: [target] });
  lab.change('calm', {
    reports: { edge: { deployed: describeProgress('v1', [target], ['rolled-out']) } },
  });
  play.prepare?.(lab);
  const open = [...(play.acts ?? [])].toSorted(([one], [other]) => one - other);
  const series = new Map<number, ReturnType<Judged>>();
  const reasons = new Set<string>();
  for (const second of seconds) {
    lab.clock.pass(at(second * 1_000).getTime() - lab.clock.now().getTime());
    while (open[0] && open[0][0] <= second) open.shift()?.[1](lab);
    const lastRun = (who: keyof typeof rates) => at(lastOf(second, rates[who], play.silent?.[who]) * 1_000);
    const passes = { issue: lastRun('issue'), deploy: lastRun('deploy'), probe: lastRun('probe') };
    lab.operations = { ...lab.operations, passes };
    lab.agents = lab.agents.map((agent) => ({ ...agent, lastSeen: lastRun('agent') }));
    if (isWithin(second, play.silent?.status)) continue;
    const { report } = await lab.ask();
    const { DegradedCertificates: certificates, DegradedOthers: others } = measureInstallation(report);
    series.set(second, { certificates, others });
    const all = [
      report.certificates,
      report.agents,
      report.clusters,
      report.functions,
      report.issuers,
    ].flat();
    for (const { health, reason } of all) if (health === 'Degraded') reasons.add(reason);
  }
  return { judged: (second) => series.get(second), reasons };
}

/** The last run at or before the second that was none of the silent ones. */
function lastOf(second: number, every: number, silent: readonly [number, number] | undefined): number {
  const last = Math.floor(second / every) * every;
  if (!silent || !isWithin(last, silent)) return last;
  return Math.ceil(silent[0] / every) * every - every;
}

function isWithin(second: number, span: readonly [number, number] | undefined): boolean {
  return span !== undefined && second >= span[0] && second < span[1];
}
