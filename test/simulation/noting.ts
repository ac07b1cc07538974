// Writes what invocations log and report into the story of the simulation, and counts what is rare in it.
import type { DeployReport } from '../../lib/deploy/invocation.ts';
import { nameTarget } from '../../lib/policy/delivery/secret-plan.ts';
import type { LogEvent, LogFields } from '../../lib/ports/log.ts';
import { nameEntry } from './ledger.ts';
import type { Narration } from './narration.ts';
import { concernedBy, type JudgedSimulation, targetsIn } from './rules.ts';
import type { SimulatedRun } from './scheduler.ts';
import type { RareThing } from './sometimes.ts';

const rareEvents: Partial<Record<LogEvent, RareThing>> = {
  'claim taken over': 'claim taken over',
  'order resumed': 'order of a dead invocation resumed',
  'delivery resumed': 'version resumed by hand',
};

/** Notes a line of the log. */
export function noteLog(
  run: SimulatedRun,
  [event, fields = {}]: readonly [LogEvent, (LogFields | undefined)?],
  narration: Narration,
  { tally }: JudgedSimulation,
): void {
  const thing = rareEvents[event];
  if (thing) tally.count(thing);
  const { certificate, target, reason, problem } = fields;
  const texts = [certificate, target, reason, problem].filter((text) => text !== undefined).map(String);
  narration.note(run.name, `logged "${event}" ${texts.join(' · ')}`);
}

/** Notes a report of deploy. */
export function noteReport(
  report: DeployReport,
  run: SimulatedRun,
  narration: Narration,
  simulation: JudgedSimulation,
): void {
  const { clusters, ledger, options, tally } = simulation;
  const known = targetsIn(options);
  for (const { version, targets } of report.certificates) {
    const entry = ledger.ofVersion(version);
    for (const { target: name, outcome, message } of targets) {
      narration.note(run.name, `reports ${name} ${outcome} with ${nameEntry(entry)}: ${message}`);
      const target = known.find((one) => nameTarget(one.target) === name)?.target;
      if (!target || run.isDryRun) continue;
      const held = ledger.ofValue(clusters.get(target.cluster)?.valueOf(target.secret));
      if (outcome === 'pending' && held && entry && held.ordinal > entry.ordinal)
        tally.count('older version refused');
      if (concernedBy(target, simulation).some(([, pods]) => pods.heldBy() !== undefined))
        tally.count('workload waits for a person');
    }
  }
}
