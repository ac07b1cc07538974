// One simulation: an installation with its clusters, its people and its faults, over some virtual days, and
// then without faults until everything has come true.
import { createHash } from 'node:crypto';
import { deployCertificates } from '../../lib/deploy/deploy.ts';
import type { DeployReport } from '../../lib/deploy/invocation.ts';
import type { ReconcileRequest } from '../../lib/issue/invocation.ts';
import { issueCertificates } from '../../lib/issue/issue.ts';
import { nameTarget } from '../../lib/policy/delivery/secret-plan.ts';
import type { ProbeResult, ProbeSummary } from '../../lib/policy/serving/served.ts';
import type { CertificateProbeSpec } from '../../lib/policy/serving/served-targets.ts';
import { describeError } from '../../lib/ports/errors.ts';
import type { LogEvent, LogFields } from '../../lib/ports/log.ts';
import type { ServedQuery } from '../../lib/ports/probe.ts';
import type { DeployRequest } from '../../lib/requests/requests.ts';
import { clockOf, VirtualClock } from './clock.ts';
import { MemoryCluster, namespace } from './cluster.ts';
import { judgeReport, Liveness } from './delivery-rules.ts';
import { FaultDrawer } from './faults.ts';
import { History } from './history.ts';
import { type KeyPool, SimulatedIssuing } from './issuing.ts';
import { Ledger, nameEntry } from './ledger.ts';
import type { PlannedWorkload, SimulationOptions } from './options.ts';
import { OrderRules } from './order-rules.ts';
import { People } from './people.ts';
import { makePorts, type PortSurroundings } from './ports.ts';
import type { Random } from './random.ts';
import { concernedBy, type JudgedSimulation, targetsIn, type Violation } from './rules.ts';
import { Scheduler, type SimulatedRun } from './scheduler.ts';
import { judgeSecretChange } from './secret-rules.ts';
import { MemorySecrets } from './secrets.ts';
import { type RareThing, Tally } from './sometimes.ts';
import { judgeRestart, type KnownMarks } from './workload-rules.ts';

const secondMs = 1_000;
const minuteMs = 60 * secondMs;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** As Lambda's: no invocation lives longer. */
const invocationMs = 15 * minuteMs;
/** Within this time after the last fault everything has come true: a window may be open once a week. */
const livenessMs = 10 * dayMs;
const begin = Date.parse('2026-11-22T10:00:00Z');
const eventsKept = 400;

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
  readonly #runs: SimulatedRun[] = [];
  readonly #marks: KnownMarks = {
    all: new Set(),
    last: new Map(),
    unavailable: new Set(),
    proven: new Set(),
  };
  readonly #held = new Map<string, number>();
  readonly #events: string[] = [];
  readonly #hash = createHash('sha256');
  #actor: SimulatedRun | undefined;
  #violation: Violation | undefined;
  #isMended = false;
  #calls = 0;
  #started = 0;

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
      this.#note(run.name, `${label}: ${outcome}`);
    };
    this.#issuing = new SimulatedIssuing(
      pool,
      { clock: this.#clock, random: random.split('ca'), lifetimeMs },
      {
        ledger: this.#ledger,
        observer: {
          onOrder: (certificate, url) => this.#orders.noteOrder(certificate, url),
          onIssued: (entry, url) => {
            this.#note('ca', `issued ${nameEntry(entry)}${entry.isBent ? ', bent' : ''}`);
            this.#orders.noteIssued(entry, url);
            // It begins with what is stored now, and may be slower than the delivery of this one.
            if (this.#faults.isOn && this.#random.schedule.chance(options.twice))
              this.#later(0, () => this.#deploy({}));
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
    for (const name of Object.keys(options.inventory.clusters)) this.#addCluster(name);
    this.#people = new People(options, this.#clusters, this.#random.people);
  }

  /** Runs it to its end. */
  async run(): Promise<SimulationResult> {
    const endOfFaults = begin + this.#options.days * dayMs;
    this.#tickFrom(begin + minuteMs);
    const liveness = new Liveness(this.#judged, () => this.#issuing.records.values.size > 0);
    await this.#drive(() => this.#clock.now >= endOfFaults);
    if (!this.#violation) {
      this.#endFaults();
      const until = this.#clock.now + livenessMs;
      let open: readonly string[] = [];
      await this.#drive(() => {
        if (this.#aliveRuns().length > 0) return false;
        open = liveness.look();
        return open.length === 0 || this.#clock.now >= until;
      });
      if (open.length > 0) this.#violate('liveness', open.join('; '));
    }
    return {
      options: this.#options,
      violation: this.#violation,
      events: this.#events,
      hash: this.#hash.digest('hex'),
      calls: this.#calls,
      endedAt: new Date(this.#clock.now),
      tally: this.#tally,
    };
  }

  async #drive(isOver: () => boolean): Promise<void> {
    try {
      await this.#scheduler.drive(() => this.#violation !== undefined || isOver());
    } catch (error) {
      this.#violate('crash', describeError(error));
    }
  }

  #addCluster(name: string): void {
    const cluster = new MemoryCluster(name, this.#clock);
    this.#clusters.set(name, cluster);
    cluster.onChange = (what, change) => {
      const by = this.#actor?.name ?? 'somebody';
      const value = change.after && cluster.valueOf(change.name);
      const now =
        what === 'secret'
          ? ` now has ${change.after ? nameEntry(this.#ledger.ofValue(value)) : 'nothing'}`
          : '';
      this.#note(by, `changed ${what} ${name}/${change.name}${now}`);
      if (this.#actor?.isDryRun)
        this.#violate('safety', `${by} is a dry run and changed ${name}/${change.name}`);
      if (what === 'secret') judgeSecretChange(change, this.#judged);
      else judgeRestart(change, this.#marks, this.#judged);
      this.#noteHeld();
    };
    for (const planned of this.#options.workloads.filter((one) => one.cluster === name)) {
      cluster.add(planned, bodyOf(planned), (carries) => this.#isRejected(planned, carries));
    }
  }

  #isRejected({ cluster, kind, name }: PlannedWorkload, carries: Readonly<Record<string, string>>): boolean {
    if (this.#isMended) return false;
    const entries = Object.values(carries).map((value) => this.#ledger.ofValue(value));
    const isBad = this.#options.bad.some(
      ({ certificate, ordinal, workload }) =>
        workload === `${cluster}/${kind} ${name}` &&
        entries.some((entry) => entry?.certificate === certificate && entry.ordinal === ordinal),
    );
    if (isBad) this.#tally.count('workload never ready with a certificate');
    return isBad;
  }

  /** What the schedule does: invocations, and among them people. */
  #tickFrom(at: number): void {
    this.#clock.at(at, () => {
      const { schedule, people } = this.#random;
      const { fansOut, tickMs, twice, dryRuns } = this.#options;
      const isFaulty = this.#faults.isOn;
      if (schedule.chance(0.6) || !isFaulty) this.#issue({});
      const requests = fansOut ? [...this.#clusters.keys()].map((name) => ({ clusters: [name] })) : [{}];
      for (const request of requests) this.#deploy(request);
      if (isFaulty && schedule.chance(twice))
        this.#later(schedule.between(0, 90) * secondMs, () => this.#again());
      if (isFaulty && schedule.chance(dryRuns)) this.#dryRun();
      if (isFaulty && people.chance(this.#options.people))
        this.#later(people.between(0, people.chance(0.5) ? 60 : tickMs / secondMs) * secondMs, () =>
          this.#bePeople(),
        );
      if (!isFaulty) this.#later(tickMs / 2, () => this.#beHelpful());
      this.#tickFrom(at + tickMs);
    });
  }

  /** A second invocation beside those of the schedule. */
  #again(): void {
    const { schedule } = this.#random;
    const certificates = [schedule.pick(this.#options.inventory.certificates).name];
    if (schedule.chance(0.3)) this.#issue(schedule.chance(0.5) ? {} : { certificates });
    else this.#deploy(schedule.chance(0.5) ? {} : { certificates });
  }

  #dryRun(): void {
    if (this.#random.schedule.chance(0.5)) this.#issue({ dryRun: true });
    else this.#deploy({ dryRun: true });
  }

  #bePeople(): void {
    const { people } = this.#random;
    if (!this.#faults.isOn) return;
    if (people.chance(0.15)) {
      const certificates = [people.pick(this.#options.inventory.certificates).name];
      const resume = this.#secrets.stateOf(certificates[0] ?? '')?.freeze !== undefined;
      this.#deploy(resume ? { certificates, resume: true } : { certificates, rollback: true });
      return;
    }
    const act = this.#people.act();
    if (act !== undefined) this.#note('somebody', act);
  }

  /** What people do once the faults are over: they mend what reports name. */
  #beHelpful(): void {
    this.#people.deleteStuckPods(this.#clock.now, hourMs);
    for (const { name } of this.#options.inventory.certificates) {
      if (this.#secrets.stateOf(name)?.freeze) this.#deploy({ certificates: [name], resume: true });
    }
  }

  #endFaults(): void {
    this.#note('simulation', 'the faults are over');
    this.#faults.isOn = false;
    this.#issuing.bends = 0;
    this.#isMended = true;
    for (const cluster of this.#clusters.values())
      for (const pods of cluster.workloads.values()) pods.mend(this.#clock.now);
    this.#people.tidy();
  }

  #issue(request: ReconcileRequest): void {
    this.#start('issue', request, async (run, invocation) => {
      const { failures } = await issueCertificates(request, makePorts(run, this.#around()), {
        ...invocation,
        id: run.name,
        inventory: this.#options.inventory,
        issueIntervalMs: this.#options.tickMs,
      });
      this.#findBugs([...failures.values()]);
    });
  }

  #deploy(request: DeployRequest): void {
    this.#start('deploy', request, async (run, { signal, cleanUpSignal }) => {
      const { inventory } = this.#options;
      const ports = makePorts(run, this.#around());
      const report = await deployCertificates(ports, { ...request, inventory, signal, cleanUpSignal });
      if (run.isDead) return;
      this.#findBugs([...report.failures.values()].flat());
      this.#noteReport(report, run);
      if (!run.isDryRun) judgeReport(report, run, this.#held, this.#judged);
    });
  }

  #start(
    kind: 'issue' | 'deploy',
    request: ReconcileRequest | DeployRequest,
    work: (run: SimulatedRun, times: InvocationTimes) => Promise<void>,
  ): void {
    if (this.#aliveRuns().length > 0) this.#tally.count('two invocations at once');
    const { now } = this.#clock;
    this.#started += 1;
    const isDryRun = request.dryRun === true;
    const name = `${kind}-${this.#started}`;
    const run: SimulatedRun = { name, startedAt: now, isDryRun, isDead: false, isOver: false };
    this.#runs.push(run);
    this.#note(name, `began with ${JSON.stringify(request)}`);
    const clock = clockOf(this.#clock, run);
    const times = {
      deadline: new Date(now + invocationMs),
      workUntil: new Date(now + invocationMs - 20 * secondMs),
      signal: clock.timeout(invocationMs - 20 * secondMs),
      cleanUpSignal: clock.timeout(invocationMs - secondMs),
    };
    const stop = this.#later(invocationMs, () => {
      run.isDead = true;
      this.#note(name, 'its time was over');
    });
    const end = (how: string) => {
      if (run.isDead) return;
      stop();
      run.isOver = true;
      this.#note(name, how);
      if (isDryRun) this.#tally.count('dry run');
    };
    work(run, times).then(
      () => end('ended'),
      (error: unknown) => {
        this.#findBugs([error]);
        end(`threw: ${describeError(error)}`);
      },
    );
  }

  #aliveRuns(): readonly SimulatedRun[] {
    const alive = this.#runs.filter(({ isDead, isOver }) => !isDead && !isOver);
    this.#runs.splice(0, this.#runs.length, ...alive);
    return alive;
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
      onQueued: (certificates, options, delaySeconds) =>
        void this.#later(delaySeconds * secondMs, () => this.#issue({ certificates, ...options })),
      onLog: (run, event, fields) => this.#noteLog(run, event, fields),
      probe: (query) => this.#probe(query),
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
    this.#note('somebody', done);
  }

  #noteLabel(certificate: string, label: string, version: string): void {
    if (label !== 'AWSCURRENT') return;
    this.#later(0, () => this.#orders.noteStored(certificate, version));
    const { schedule } = this.#random;
    // An event comes once as a rule; it may come twice, and the schedule is there for one that is lost.
    const times = schedule.chance(0.05) ? 0 : schedule.chance(0.1) ? 2 : 1;
    for (let time = 0; time < times; time += 1) {
      this.#later(schedule.between(1, 60) * secondMs, () => this.#deploy({ certificates: [certificate] }));
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

  #noteHeld(): void {
    for (const [name, { workloads }] of this.#clusters)
      for (const [key, pods] of workloads)
        if (pods.heldBy() !== undefined) this.#held.set(`${name}/${key}`, this.#clock.now);
  }

  #noteLog(run: SimulatedRun, event: LogEvent, fields: LogFields = {}): void {
    const rare: Partial<Record<LogEvent, RareThing>> = {
      'claim taken over': 'claim taken over',
      'order resumed': 'order of a dead invocation resumed',
      'delivery resumed': 'version resumed by hand',
    };
    const thing = rare[event];
    if (thing) this.#tally.count(thing);
    const { certificate, target, reason, problem } = fields;
    const texts = [certificate, target, reason, problem].filter((text) => text !== undefined).map(String);
    this.#note(run.name, `logged "${event}" ${texts.join(' · ')}`);
  }

  #noteReport(report: DeployReport, run: SimulatedRun): void {
    const known = targetsIn(this.#options);
    for (const { version, targets } of report.certificates) {
      const entry = this.#ledger.ofVersion(version);
      for (const { target: name, outcome, message } of targets) {
        this.#note(run.name, `reports ${name} ${outcome} with ${nameEntry(entry)}: ${message}`);
        const target = known.find((one) => nameTarget(one.target) === name)?.target;
        if (!target || run.isDryRun) continue;
        const held = this.#ledger.ofValue(this.#clusters.get(target.cluster)?.valueOf(target.secret));
        if (outcome === 'pending' && held && entry && held.ordinal > entry.ordinal)
          this.#tally.count('older version refused');
        if (concernedBy(target, this.#judged).some(([, pods]) => pods.heldBy() !== undefined))
          this.#tally.count('workload waits for a person');
      }
    }
  }

  #probe({ probe, fingerprint }: ServedQuery): ProbeSummary {
    const addresses = addressesOf(probe);
    const results = targetsIn(this.#options).flatMap(({ target }): readonly ProbeResult[] => {
      const [first] = target.addresses ?? [];
      const expected = this.#ledger.ofFingerprint(fingerprint);
      const isAsked = first && addresses.includes(first.address) && expected;
      const isOwn = this.#options.inventory.certificates.some(
        ({ name, targets }) => name === expected?.certificate && targets.includes(target),
      );
      if (!isAsked || !isOwn) return [];
      this.#clusters.get(target.cluster)?.advance();
      const pods = concernedBy(target, this.#judged)
        .flatMap(([, one]) => one.pods)
        .filter(({ readyAt }) => readyAt <= this.#clock.now);
      const isServed = pods.every(({ carries }) => this.#ledger.ofValue(carries[target.secret]) === expected);
      const served = pods.length === 0 ? 'unreachable' : isServed ? 'served' : 'stale';
      return [{ name: 'simulated', address: first.address, served, message: `it is ${served}` }];
    });
    const served = (['stale', 'unreachable', 'served'] as const).find((word) =>
      results.some((result) => result.served === word),
    );
    return { served: served ?? 'unprobed', message: `${results.length} probed`, results };
  }

  /** A story ends with errors of its ports, and never with a mistake of its own. */
  #findBugs(errors: readonly unknown[]): void {
    for (const error of errors) {
      if (error instanceof TypeError || error instanceof RangeError || error instanceof ReferenceError)
        this.#violate('crash', error.stack ?? error.message);
    }
  }

  #later(ms: number, act: () => void): () => void {
    return this.#clock.at(this.#clock.now + ms, act);
  }

  #uuid(): string {
    const { uuids } = this.#random;
    const hex = Array.from({ length: 32 }, () => uuids.between(0, 15).toString(16)).join('');
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  }

  #violate(kind: Violation['kind'], message: string): void {
    this.#violation ??= { kind, message, at: new Date(this.#clock.now) };
  }

  /** Keeps an event. Fingerprints differ from run to run: keys and signatures are random. */
  #note(who: string, what: string): void {
    const event = `${new Date(this.#clock.now).toISOString()} ${who}: ${what.replace(/[0-9a-f]{16,}…?/g, '…')}`;
    this.#hash.update(event);
    this.#events.push(event);
    if (this.#events.length > eventsKept) this.#events.shift();
  }
}

interface InvocationTimes {
  readonly deadline: Date;
  readonly workUntil: Date;
  readonly signal: AbortSignal;
  readonly cleanUpSignal: AbortSignal;
}

function addressesOf({ addresses = [], targetAddresses = [] }: CertificateProbeSpec): readonly string[] {
  return [...addresses, ...targetAddresses].map(({ address }) => address);
}

/** The object of a workload. */
function bodyOf({ kind, name, replicas, strategy, uses, secrets }: PlannedWorkload): object {
  const labels = { app: name };
  const env = secrets.map((secret, index) => ({
    name: `CERTIFICATE_${index}`,
    valueFrom: { secretKeyRef: { name: secret, key: 'tls.crt' } },
  }));
  const volumes = secrets.map((secretName) => ({ name: secretName, secret: { secretName } }));
  const container = { name: 'main', image: 'registry.invalid/main:1', ...(uses === 'env' ? { env } : {}) };
  const pod = { containers: [container], ...(uses === 'volume' ? { volumes } : {}) };
  return {
    apiVersion: 'apps/v1',
    kind,
    metadata: { name, namespace },
    spec: {
      ...(kind === 'DaemonSet' ? {} : { replicas }),
      ...(kind === 'Deployment'
        ? { strategy: { type: strategy } }
        : { updateStrategy: { type: 'RollingUpdate' } }),
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: pod },
    },
  };
}
