// One installation for tests of `status`: what is stored, what functions recorded, and what was told.
import { namesKey } from '../../lib/certificate/names.ts';
import type { NoticeChannel } from '../../lib/certificate/notice-spec.ts';
import type { CertificateSpec, Inventory } from '../../lib/certificate/spec.ts';
import type { EventFacts } from '../../lib/policy/events/announcement.ts';
import { describeEvent } from '../../lib/policy/events/detail.ts';
import type { HealthChange } from '../../lib/policy/health/change.ts';
import { planNotices } from '../../lib/policy/notices/grouping.ts';
import type { AgentRecord } from '../../lib/ports/agents.ts';
import type { InstallationRecord } from '../../lib/ports/installation.ts';
import type { StatusNotes } from '../../lib/ports/notes.ts';
import type { NoticeMessage } from '../../lib/ports/notices.ts';
import type { OperationRecord } from '../../lib/ports/operations.ts';
import { StoreError } from '../../lib/ports/store.ts';
import type { CertificateState } from '../../lib/state/state.ts';
import type { StatusInvocation, StatusPorts } from '../../lib/status/invocation.ts';
import { describeStatus } from '../../lib/status/status.ts';
import { FakeClock } from '../fakes/clock.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeStore } from '../fakes/store.ts';

export const [minuteMs, hourMs, dayMs] = [60_000, 3_600_000, 86_400_000];

/** The time at which every installation begins. */
export const now = new Date('2026-11-22T10:00:00Z');
/** So long after that. */
export const at = (ms: number): Date => new Date(now.getTime() + ms);

const caOfAll = { directory: 'https://ca.example/directory', contact: [], agreeToTerms: true } as const;

/** An installation with one agent's cluster, `edge`, and one that `deploy` reaches, `lab`. */
export class StatusLab {
  readonly store = new FakeStore();
  readonly log = new FakeLog();
  readonly clock = new FakeClock(now.toISOString());
  specs: CertificateSpec[] = [];
  /** By cluster. Well unless a test says otherwise. */
  agents: AgentRecord[] = [{ cluster: 'edge', lastSeen: now, version: 'abc' }];
  sections: Partial<Inventory> = {};
  installation: InstallationRecord | undefined = {
    firstRun: at(-dayMs),
    isUpgraded: true,
    lastPass: now,
  };
  operations: OperationRecord = { passes: { issue: now, deploy: now, probe: now }, clusters: {} };
  notes: StatusNotes | undefined;
  channels: NoticeChannel[] = [{ kind: 'slack', secret: 'certrelay/notify/slack', events: ['Degraded'] }];
  /** What the bus took, and what the queue of notices took. */
  readonly events: (Pick<HealthChange, 'subject'> & EventFacts)[] = [];
  readonly notices: NoticeMessage[] = [];
  /** Ids of the events, and of what the queue took as a notice. */
  readonly ids: { readonly events: string[]; readonly notices: string[] } = { events: [], notices: [] };
  /** Messages that nobody reads; absent: the queue cannot be looked at. */
  waiting: number | undefined = 0;
  /** What fails: a call of a port throws. */
  readonly broken = new Set<'events' | 'notices' | 'notes' | 'record'>();
  noteWrites = 0;

  /** A certificate in the middle of its 90 days, stored and described, but for what is changed. */
  keep(name: string, state: CertificateState = {}, spec: Partial<CertificateSpec> = {}): void {
    const domains = [`${name}.example.com`];
    this.specs.push({ name, domains, issuer: 'default', key: 'ecdsa-p256', targets: [], ...spec });
    this.stored(name, state);
  }

  /** The same, and the inventory does not list it. */
  stored(name: string, state: CertificateState = {}): void {
    const described: CertificateState = {
      version: 'v1',
      names: namesKey([`${name}.example.com`]),
      issuer: 'https://ca.example/directory',
      key: 'ecdsa-p256',
      fingerprint: '0'.repeat(64),
      notBefore: at(-45 * dayMs),
      notAfter: at(45 * dayMs),
      ...state,
    };
    const stages = new Map([['AWSCURRENT' as const, 'v1']]);
    this.store.kept.set(name, { versions: new Map(), stages, state: described });
  }

  /** An AWS secret with a specification and no certificate. */
  unissued(name: string, state: CertificateState = {}): void {
    this.store.kept.set(name, {
      versions: new Map(),
      stages: new Map([['AWSCURRENT' as const, 'v0']]),
      state,
    });
  }

  /** Changes the tags of a certificate. */
  change(name: string, state: CertificateState): void {
    const kept = this.store.kept.get(name);
    if (!kept) throw new Error(`nothing is stored of ${name}`);
    this.store.kept.set(name, { ...kept, state: { ...kept.state, ...state } });
  }

  state(name: string): CertificateState {
    return this.store.kept.get(name)?.state ?? {};
  }

  ports(): StatusPorts {
    const fail = (what: 'events' | 'notices' | 'notes' | 'record') => {
      if (this.broken.has(what)) throw new Error(`${what} broke`);
    };
    return {
      store: {
        list: (signal) => this.store.list(signal),
        describe: (name) => this.store.describe(name),
        record: async (name, change) => {
          fail('record');
          await this.store.record(name, change);
        },
      },
      agents: { list: async () => this.agents },
      publicKey: async () => 'the-public-key',
      installation: { read: async () => this.installation },
      notes: {
        read: async () => this.notes,
        write: async (notes) => {
          fail('notes');
          const bytes = Buffer.byteLength(JSON.stringify({ version: 1, ...notes }));
          if (bytes > 65_536) throw new StoreError('TooLarge', `the value has ${bytes} bytes`);
          this.notes = notes;
          this.noteWrites += 1;
        },
      },
      operations: { read: async () => this.operations },
      putEvents: async (announcements) => {
        fail('events');
        for (const { subject, facts } of announcements) this.events.push({ subject, ...facts });
        this.ids.events.push(...announcements.map((one) => describeEvent(one, 'certrelay').id));
        return announcements.map(() => 'put' as const);
      },
      notices: {
        send: async (message) => {
          fail('notices');
          this.notices.push(message);
          const { at, changes = [] } = message;
          const news = { installation: 'certrelay', at, changes, issued: [] };
          const planned = planNotices(
            { ...news, omitted: { changes: 0, issued: 0, rows: 0 } },
            this.channels,
          );
          this.ids.notices.push(...planned.map(({ notice }) => notice.id));
        },
        countWaiting: async () => {
          if (this.waiting === undefined) throw new Error('not counted');
          return this.waiting;
        },
      },
      clock: this.clock,
      log: this.log,
    };
  }

  ask(request: Partial<StatusInvocation> = {}, ports: Partial<StatusPorts> = {}) {
    return describeStatus({ ...this.ports(), ...ports }, { ...this.invocation(), ...request });
  }

  /** A call over everything. */
  invocation(): StatusInvocation {
    const clusters = { edge: { agent: true }, lab: { inCluster: true } } as const;
    const inventory = {
      issuers: { default: caOfAll },
      clusters,
      certificates: this.specs,
      ...this.sections,
    };
    const { signal } = new AbortController();
    return {
      installation: 'certrelay',
      id: 'run',
      inventory,
      channels: this.channels,
      staleAfterMs: hourMs,
      intervals: { issue: 6 * hourMs, deploy: hourMs, probe: hourMs / 2, status: hourMs / 4 },
      signal,
      cleanUpSignal: signal,
    };
  }
}
