// One simulation: an installation with its clusters, its people and its faults, over some virtual days, and
// then without faults until everything has come true.
import { deployCertificates } from '../../lib/deploy/deploy.ts';
import type { ReconcileRequest } from '../../lib/issue/invocation.ts';
import { issueCertificates } from '../../lib/issue/issue.ts';
import { describeError } from '../../lib/ports/errors.ts';
import type { StoreEntry } from '../../lib/ports/store.ts';
import type { DeployRequest } from '../../lib/requests/requests.ts';
import { VirtualClock } from './clock.ts';
import type { MemoryCluster } from './cluster.ts';
import { makeCluster } from './cluster-making.ts';
import { judgeReport, Liveness } from './delivery-rules.ts';
import { FaultDrawer } from './faults.ts';
import { History, type KnownDelivery } from './history.ts';
import { Invocations } from './invocations.ts';
import { type KeyPool, SimulatedIssuing } from './issuing.ts';
import { Ledger, type LedgerEntry, nameEntry } from './ledger.ts';
import { Narration } from './narration.ts';
import { noteLog, noteReport } from './noting.ts';
import type { SimulationOptions } from './options.ts';
import { OrderRules } from './order-rules.ts';
import { People } from './people.ts';
import { makePorts, type PortSurroundings } from './ports.ts';
import { probePods } from './probing.ts';
import type { Random } from './random.ts';
import type { JudgedSimulation, Violation } from './rules.ts';
import { Schedule } from './schedule.ts';
import { Scheduler, type SimulatedRun } from './scheduler.ts';
import { MemorySecrets } from './secrets.ts';
import { Tally } from './sometimes.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Within this time after the last fault everything has come true: a window may be open once a week. */
const livenessMs = 10 * dayMs;
const begin = Date.parse('2026-11-22T10:00:00Z');

/** How a simulation ended. */
export interface SimulationResult {
  readonly options: SimulationOptions;
  readonly violation: Violation | undefined;
  /** The last events, oldest first. */
  readonly events: readonly string[];
  /** SHA-256 of all events, hex: the same for the same seed. */
  readonly hash: string;
  readonly calls: number;
  readonly endedAt: Date;
  readonly tally: Tally;
  /** What the CA issued, what came to Secrets for the first time, and the TXT values that were written. */
  readonly issued: readonly LedgerEntry[];
  readonly deliveries: readonly KnownDelivery[];
  readonly written: readonly { readonly at: Date; readonly values: number }[];
}

/** What is stored at an instant, as a list would show it at once. */
export interface SimulatedLook {
  readonly at: Date;
  readonly entries: readonly StoreEntry[];
  /** How long the CA reuses a validation, in milliseconds. */
  readonly reuseMs: number;
}

/** One installation from its first invocation on. */
export class Simulation {
  readonly #options: SimulationOptions;
  readonly #clock = new VirtualClock(begin);
  readonly #clusters = new Map<string, MemoryCluster>();
  readonly #secrets = new MemorySecrets(this.#clock);
  readonly #ledger = new Ledger();
  readonly #history = new History();
  readonly #tally = new Tally();
  readonly #scheduler: Scheduler;
  readonly #issuing: SimulatedIssuing;
  readonly #faults: FaultDrawer;
  readonly #people: People;
  readonly #orders: OrderRules;
  readonly #judged: JudgedSimulation;
  readonly #random: {
    readonly people: Random;
    readonly schedule: Random;
    readonly uuids: Random;
    readonly errors: Random;
  };
  readonly #narration = new Narration(this.#clock);
  readonly #invocations: Invocations;
  readonly #schedule: Schedule;
  #actor: SimulatedRun | undefined;
  #violation: Violation | undefined;
  #isMended = false;
  #calls = 0;

  constructor(options: SimulationOptions, pool: KeyPool, random: Random) {
    this.#options = options;
    const { lifetimeMs } = options;
    this.#random = {
      people: random.split('people'),
      schedule: random.split('schedule'),
      uuids: random.split('uuids'),
      errors: random.split('errors'),
    };
    this.#scheduler = new Scheduler(this.#clock, random.split('order of calls'));
    this.#faults = new FaultDrawer(options, random.split('faults'), this.#tally);
    this.#scheduler.drawFault = (run, label) => this.#faults.draw(run, label);
    this.#scheduler.onCall = (run, label, outcome) => {
      this.#calls += 1;
      this.#narration.note(run.name, `${label}: ${outcome}`);
    };
    this.#issuing = new SimulatedIssuing(
      pool,
      { clock: this.#clock, random: random.split('ca'), lifetimeMs },
      {
        ledger: this.#ledger,
        observer: {
          onOrder: (certificate, url) => this.#orders.noteOrder(certificate, url),
          onIssued: (entry, url) => {
            this.#narration.note('ca', `issued ${nameEntry(entry)}${entry.isBent ? ', bent' : ''}`);
            this.#orders.noteIssued(entry, url);
            // It begins with what is stored now, and may be slower than the delivery of this one.
            if (this.#faults.isOn && this.#random.schedule.chance(options.twice))
              this.#schedule.later(0, () => this.#deploy({}));
          },
        },
      },
    );
    this.#issuing.bends = options.bends;
    this.#secrets.listLagMs = options.listLagMs;
    this.#judged = {
      options,
      clock: this.#clock,
      clusters: this.#clusters,
      secrets: this.#secrets,
      ledger: this.#ledger,
      history: this.#history,
      tally: this.#tally,
      actor: () => this.#actor,
      violate: (message, kind = 'safety') => this.#violate(kind, message),
    };
    this.#orders = new OrderRules(this.#judged, (url) =>
      ['pending', 'ready', 'processing', 'valid'].includes(this.#issuing.ca.orders.get(url)?.status ?? ''),
    );
    this.#secrets.onLabel = (certificate, label, version) => this.#noteLabel(certificate, label, version);
    for (const name of Object.keys(options.inventory.clusters)) {
      const around = { simulation: this.#judged, narration: this.#narration, isMended: () => this.#isMended };
      this.#clusters.set(name, makeCluster(name, around));
    }
    this.#people = new People(options, this.#clusters, this.#random.people);
    this.#invocations = new Invocations(this.#clock, this.#narration, this.#tally, (kind, message) =>
      this.#violate(kind, message),
    );
    this.#schedule = new Schedule({
      ...this.#judged,
      narration: this.#narration,
      people: this.#people,
      random: this.#random,
      areFaultsOn: () => this.#faults.isOn,
      issue: (request) => this.#issue(request),
      deploy: (request) => this.#deploy(request),
    });
  }

  /** Runs it to its end. */
  async run(): Promise<SimulationResult> {
    const endOfFaults = begin + this.#options.days * dayMs;
    this.#schedule.tickFrom(begin + minuteMs);
    const liveness = new Liveness(this.#judged, () => this.#issuing.records.values.size > 0);
    await this.#drive(() => this.#clock.now >= endOfFaults);
    if (!this.#violation) {
      this.#endFaults();
      const until = this.#clock.now + livenessMs;
      let open: readonly string[] = [];
      await this.#drive(() => {
        if (this.#invocations.alive().length > 0) return false;
        open = liveness.look();
        return open.length === 0 || this.#clock.now >= until;
      });
      if (open.length > 0) this.#violate('liveness', open.join('; '));
    }
    return {
      options: this.#options,
      violation: this.#violation,
      events: this.#narration.events,
      hash: this.#narration.digest(),
      calls: this.#calls,
      endedAt: new Date(this.#clock.now),
      tally: this.#tally,
      issued: this.#ledger.all(),
      deliveries: this.#history.deliveries,
      written: this.#issuing.written,
    };
  }

  /** Looks at what is stored, so long after the beginning. To be called before it runs. */
  lookAfter(ms: number, look: (seen: SimulatedLook) => void): void {
    this.#clock.at(begin + ms, () => {
      const entries = this.#options.inventory.certificates.flatMap(({ name }): readonly StoreEntry[] => {
        const kept = this.#secrets.look(name);
        if (!kept) return [];
        const { current, state, isClaimed } = kept;
        return [{ name, current, state, ...(isClaimed && { pending: 'claimed' }) }];
      });
      const { reusesAuthorizations, authorizationLifetimeMs = 0 } = this.#issuing.ca;
      const reuseMs = reusesAuthorizations ? authorizationLifetimeMs : 0;
      look({ at: new Date(this.#clock.now), entries, reuseMs });
    });
  }

  async #drive(isOver: () => boolean): Promise<void> {
    try {
      await this.#scheduler.drive(() => this.#violation !== undefined || isOver());
    } catch (error) {
      this.#violate('crash', describeError(error));
    }
  }

  #endFaults(): void {
    this.#narration.note('simulation', 'the faults are over');
    this.#faults.isOn = false;
    this.#issuing.bends = 0;
    this.#isMended = true;
    for (const cluster of this.#clusters.values())
      for (const pods of cluster.workloads.values()) pods.mend(this.#clock.now);
    this.#people.tidy();
  }

  #issue(request: ReconcileRequest): void {
    this.#invocations.start('issue', request, async (run, invocation) => {
      const { failures } = await issueCertificates(request, makePorts(run, this.#around()), {
        ...invocation,
        id: run.name,
        inventory: this.#options.inventory,
        issueIntervalMs: this.#options.tickMs,
      });
      this.#invocations.findBugs([...failures.values()]);
    });
  }

  #deploy(request: DeployRequest): void {
    this.#invocations.start('deploy', request, async (run, { signal, cleanUpSignal }) => {
      const { inventory } = this.#options;
      const ports = makePorts(run, this.#around());
      const report = await deployCertificates(ports, { ...request, inventory, signal, cleanUpSignal });
      if (run.isDead) return;
      this.#invocations.findBugs([...report.failures.values()].flat());
      noteReport(report, run, this.#narration, this.#judged);
      if (!run.isDryRun) judgeReport(report, run, this.#judged);
    });
  }

  #around(): PortSurroundings {
    return {
      scheduler: this.#scheduler,
      clock: this.#clock,
      clusters: this.#clusters,
      secrets: this.#secrets,
      issuing: this.#issuing,
      random: this.#random.errors,
      uuid: () => this.#uuid(),
      actAs: (run, act) => {
        this.#actor = run;
        try {
          return act();
        } finally {
          this.#actor = undefined;
        }
      },
      onRead: (cluster, secret) => this.#interfere(cluster, secret),
      onConflict: () => this.#tally.count('conflict answered'),
      onWrite: (run, what) => {
        if (run.isDryRun) this.#violate('safety', `${run.name} is a dry run and called ${what}`);
      },
      onTags: (subject, action) => this.#noteTags(subject, action),
      onQueued: (certificates, options, delaySeconds) => {
        this.#schedule.later(delaySeconds * secondMs, () => this.#issue({ certificates, ...options }));
      },
      onLog: (run, ...line) => {
        noteLog(run, line, this.#narration, this.#judged);
      },
      probe: (query) => probePods(query, this.#judged),
    };
  }

  /** Somebody changes a Secret that an invocation has just read. */
  #interfere(cluster: MemoryCluster, secret: string): void {
    if (!this.#faults.isOn || !this.#random.people.chance(this.#options.interferes)) return;
    const actor = this.#actor;
    this.#actor = undefined;
    const done = this.#people.annotate(cluster, secret);
    this.#actor = actor;
    if (done === undefined) return;
    this.#tally.count('Secret changed between reading and applying');
    this.#narration.note('somebody', done);
  }

  #noteLabel(certificate: string, label: string, version: string): void {
    if (label !== 'AWSCURRENT') return;
    this.#schedule.later(0, () => this.#orders.noteStored(certificate, version));
    const { schedule } = this.#random;
    // An event comes once as a rule; it may come twice, and the schedule is there for one that is lost.
    const times = schedule.chance(0.05) ? 0 : schedule.chance(0.1) ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      this.#schedule.later(schedule.between(1, 60) * secondMs, () =>
        this.#deploy({ certificates: [certificate] }),
      );
    }
  }

  #noteTags(subject: string, action: string): void {
    if (action === 'ListSecrets' && this.#lastWriteAt > this.#clock.now - this.#secrets.listLagMs)
      this.#tally.count('list behind the truth');
    if (!/^(Tag|Untag|Create)/.test(action)) return;
    this.#lastWriteAt = this.#clock.now;
    const state = this.#secrets.stateOf(subject);
    if (!state) return;
    this.#orders.noteTags(subject, state.order);
    this.#history.noteFreeze(subject, state.freeze, this.#clock.now);
  }
  #lastWriteAt = 0;

  #uuid(): string {
    const { uuids } = this.#random;
    const hex = Array.from({ length: 32 }, () => uuids.between(0, 15).toString(16)).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  #violate(kind: Violation['kind'], message: string): void {
    this.#violation ??= { kind, message, at: new Date(this.#clock.now) };
  }
}
