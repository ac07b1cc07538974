// Who does what when: the schedule's invocations, more of them beside, and people among them.
import type { ReconcileRequest } from '../../lib/issue/invocation.ts';
import type { DeployRequest } from '../../lib/requests/requests.ts';
import type { VirtualClock } from './clock.ts';
import type { Narration } from './narration.ts';
import type { SimulationOptions } from './options.ts';
import type { People } from './people.ts';
import type { Random } from './random.ts';
import type { MemorySecrets } from './secrets.ts';

const secondMs = 1_000;
const hourMs = 3_600 * secondMs;

/** What the schedule needs of the simulation. */
export interface ScheduleSurroundings {
  readonly options: SimulationOptions;
  readonly clock: VirtualClock;
  readonly clusters: ReadonlyMap<string, unknown>;
  readonly secrets: MemorySecrets;
  readonly narration: Narration;
  readonly people: People;
  readonly random: { readonly people: Random; readonly schedule: Random };
  readonly areFaultsOn: () => boolean;
  readonly issue: (request: ReconcileRequest) => void;
  readonly deploy: (request: DeployRequest) => void;
}

/** The schedule of one simulation. */
export class Schedule {
  readonly #around: ScheduleSurroundings;

  constructor(around: ScheduleSurroundings) {
    this.#around = around;
  }

  /** Ticks at an instant, and from then on. */
  tickFrom(at: number): void {
    const { clock, options } = this.#around;
    clock.at(at, () => {
      this.#invoke();
      if (this.#around.areFaultsOn()) this.#disturb();
      else this.later(options.tickMs / 2, () => this.#beHelpful());
      this.tickFrom(at + options.tickMs);
    });
  }

  /** Calls `act` after a time. */
  later(ms: number, act: () => void): void {
    const { clock } = this.#around;
    clock.at(clock.now + ms, act);
  }

  #invoke(): void {
    const { clusters, options, random, areFaultsOn, issue, deploy } = this.#around;
    if (random.schedule.chance(options.issues) || !areFaultsOn()) issue({});
    const names = options.fansOut ? [...clusters.keys()] : [];
    for (const name of names) deploy({ clusters: [name] });
    if (names.length === 0) deploy({});
  }

  #disturb(): void {
    const { schedule, people } = this.#around.random;
    const { options } = this.#around;
    if (schedule.chance(options.twice)) this.later(schedule.between(0, 90) * secondMs, () => this.#again());
    if (schedule.chance(options.dryRuns)) this.#dryRun();
    if (!people.chance(options.people)) return;
    const longest = people.chance(0.5) ? 60 : options.tickMs / secondMs;
    this.later(people.between(0, longest) * secondMs, () => this.#bePeople());
  }

  /** A second invocation beside those of the schedule. */
  #again(): void {
    const { options, random, issue, deploy } = this.#around;
    const certificates = [random.schedule.pick(options.inventory.certificates).name];
    const start = random.schedule.chance(0.3) ? issue : deploy;
    start(random.schedule.chance(0.5) ? {} : { certificates });
  }

  #dryRun(): void {
    const { random, issue, deploy } = this.#around;
    if (random.schedule.chance(0.5)) issue({ dryRun: true });
    else deploy({ dryRun: true });
  }

  #bePeople(): void {
    const { options, random, secrets, people, narration, deploy, areFaultsOn } = this.#around;
    if (!areFaultsOn()) return;
    if (random.people.chance(0.15)) {
      const { name } = random.people.pick(options.inventory.certificates);
      const isFrozen = secrets.stateOf(name)?.freeze !== undefined;
      deploy({ certificates: [name], ...(isFrozen ? { resume: true } : { rollback: true }) });
      return;
    }
    const act = people.act();
    if (act !== undefined) narration.note('somebody', act);
  }

  /** What people do once the faults are over: they mend what reports name. */
  #beHelpful(): void {
    const { clock, options, secrets, people, deploy } = this.#around;
    people.deleteStuckPods(clock.now, hourMs);
    for (const { name } of options.inventory.certificates) {
      if (secrets.stateOf(name)?.freeze) deploy({ certificates: [name], resume: true });
    }
  }
}
