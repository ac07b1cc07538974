// A whole issuing run over fakes: one harness for the scenarios of this folder.
import { generateKeyPairSync } from 'node:crypto';
import type { CertificateSpec, Inventory, IssuerSpec } from '../../lib/certificate/spec.ts';
import type { IssueInvocation, IssuePorts, PreflightPorts } from '../../lib/issue/invocation.ts';
import { issueCertificates } from '../../lib/issue/issue.ts';
import type { CaaSubject } from '../../lib/policy/dns/caa.ts';
import type { KeyMaker } from '../../lib/ports/acme.ts';
import type { TxtValue } from '../../lib/ports/dns.ts';
import { describeError } from '../../lib/ports/errors.ts';
import type { StateChange } from '../../lib/state/state.ts';
import { FakeAuthority } from '../fakes/authority.ts';
import { FakeClock } from '../fakes/clock.ts';
import { Failures } from '../fakes/failures.ts';
import { FakeInstallation } from '../fakes/installation.ts';
import { FakeLog } from '../fakes/log.ts';
import { FakeRecords } from '../fakes/records.ts';
import { FakeStore } from '../fakes/store.ts';

export const dayMs = 86_400_000;
const directory = 'https://ca.example/directory';

export function specOf(name: string, domains: readonly string[]): CertificateSpec {
  return { name, domains, issuer: 'default', key: 'ecdsa-p256', targets: [] };
}

const keys: KeyMaker = {
  async generate(type) {
    const [kind = '', size = ''] = type.split('-');
    const { privateKey } =
      kind === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: Number(size) })
        : generateKeyPairSync('ec', { namedCurve: size === 'p384' ? 'P-384' : 'P-256' });
    return privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  },
  // The fake CA certifies the key itself; real requests are the adapter's business.
  request: async (key) => key,
};

export class Harness {
  readonly clock = new FakeClock('2026-11-22T10:00:00Z');
  readonly log = new FakeLog();
  readonly store = new FakeStore();
  readonly installation = new FakeInstallation();
  readonly records = new FakeRecords();
  /** The one behind issuer `default`. */
  readonly ca: FakeAuthority;
  /** By issuer. */
  readonly cas: ReadonlyMap<string, FakeAuthority>;
  inventory: Inventory;
  /** Names that are not visible although they were written. */
  readonly invisible = new Map<string, Error>();
  /** By name: the end of waiting for it. */
  readonly unseen = new Map<string, Promise<void>>();
  /** Messages to the issue queue. */
  readonly sent: {
    readonly names: readonly string[];
    readonly delaySeconds?: number;
    readonly fruitless?: number;
    readonly compare?: boolean;
  }[] = [];
  refuseMessages = false;
  /** Gives the key that deliveries to agents are signed with; nothing is signed where absent. */
  signingKey: IssuePorts['signingKey'];
  /** Takes events; nobody is told where absent. */
  putEvents: IssuePorts['putEvents'];
  /** Takes notices; nobody is told where absent. */
  notices: IssuePorts['notices'];
  /** What DNS is found to be like before an order; nothing is looked at where absent. */
  preflight: PreflightPorts | undefined;
  /** Failures of connecting to CAs (`connect`). */
  readonly failures = new Failures();
  /** What was written to tags, one change after the other. */
  readonly recorded: StateChange[] = [];
  /** What persistent records name an issuer's account by. */
  describe: (issuer: string) => CaaSubject = () => ({ identities: [] });
  opened = 0;
  connected = 0;
  #runs = 0;

  constructor(
    certificates: readonly CertificateSpec[],
    issuer: Partial<IssuerSpec> = {},
    others: Readonly<Record<string, Partial<IssuerSpec>>> = {},
  ) {
    this.ca = this.#authority(issuer.directory ?? directory);
    const complete = (name: string, one: Partial<IssuerSpec>): IssuerSpec => {
      return { directory: `https://${name}.example/directory`, contact: [], agreeToTerms: true, ...one };
    };
    const issuers = { default: complete('ca', issuer) };
    const named = Object.entries(others).map(([name, one]) => [name, complete(name, one)] as const);
    this.cas = new Map([
      ['default', this.ca] as const,
      ...named.map(([name, one]) => [name, this.#authority(one.directory)] as const),
    ]);
    this.inventory = {
      issuers: { ...issuers, ...Object.fromEntries(named) },
      clusters: { edge: { agent: true } },
      certificates,
      registration: { zones: ['example.com'], issuer: 'default', key: 'ecdsa-p256', targets: [] },
    };
  }

  /** One invocation with fifteen minutes. */
  async run(request: Parameters<typeof issueCertificates>[0] = {}, change: Partial<IssueInvocation> = {}) {
    const never = new AbortController().signal;
    const run: IssueInvocation = {
      id: `run-${++this.#runs}`,
      inventory: this.inventory,
      deadline: new Date(this.clock.now().getTime() + 15 * 60_000),
      workUntil: new Date(this.clock.now().getTime() + 14 * 60_000),
      signal: never,
      cleanUpSignal: never,
      ...change,
    };
    const { report, failures } = await issueCertificates(request, this.ports(), run);
    return {
      report,
      failures: [...failures.values()].map((error) => new Error(describeError(error))),
      /** Certificates that failed and that `status` tells of. */
      told: [...failures].flatMap(([name, { isTold }]) => (isTold ? [name] : [])),
    };
  }

  ports(): IssuePorts {
    return {
      store: this.#watched(),
      retirements: this.store,
      installation: this.installation,
      clock: this.clock,
      log: this.log,
      signingKey: this.signingKey,
      putEvents: this.putEvents,
      notices: this.notices,
      queue: {
        send: async (names, _id, options) => {
          if (this.refuseMessages) throw new Error('the queue is not there');
          this.sent.push({ names, ...options });
        },
      },
      openOrdering: async () => {
        this.opened += 1;
        return {
          connect: async (issuer) => {
            this.connected += 1;
            this.failures.check('connect');
            const ca = issuer === 'default' ? this.ca : this.cas.get(issuer);
            if (!ca) throw new Error(`there is no CA for issuer ${issuer}`);
            return ca;
          },
          keys,
          records: this.records,
          awaitVisible: async (values: readonly TxtValue[]) => {
            for (const { name } of values) await this.unseen.get(name);
            const failed = values.flatMap(({ name }) => {
              const error = this.invisible.get(name);
              return error ? [[name, error] as const] : [];
            });
            return { failed: new Map(failed) };
          },
          describe: async (issuer) => this.describe(issuer),
          preflight: this.preflight,
        };
      },
    };
  }

  /** Exchanges the certificates of the inventory. */
  exchange(...certificates: readonly CertificateSpec[]): void {
    this.inventory = { ...this.inventory, certificates };
  }

  #authority(url: string): FakeAuthority {
    return new FakeAuthority(this.records.values, this.clock, url);
  }

  /** The store, whose writes are remembered. */
  #watched(): FakeStore {
    return new Proxy(this.store, {
      get: (store, key) => {
        if (key === 'record')
          return (...[name, state]: Parameters<FakeStore['record']>) => {
            this.recorded.push(state);
            return store.record(name, state);
          };
        const value: unknown = Reflect.get(store, key, store);
        return typeof value === 'function' ? value.bind(store) : value;
      },
    });
  }

  /** What AWSCURRENT holds. */
  async current(name: string) {
    const value = (await this.store.read(name, 'AWSCURRENT'))?.value;
    return value?.kind === 'certificate' ? value.certificate : undefined;
  }

  pending(name: string): string | undefined {
    return this.store.kept.get(name)?.stages.get('AWSPENDING');
  }

  state(name: string) {
    return this.store.kept.get(name)?.state ?? {};
  }
}

/** A run that ends as by a crash while the CA is asked to validate. */
export async function crash(harness: Harness): Promise<void> {
  const stop = new AbortController();
  const answer = harness.ca.answerChallenge.bind(harness.ca);
  const cleanUp = harness.records.cleanUp.bind(harness.records);
  harness.ca.answerChallenge = async () => {
    stop.abort(new Error('killed'));
    throw stop.signal.reason;
  };
  harness.records.cleanUp = async () => Promise.reject(new Error('killed'));
  await harness.run({}, { signal: stop.signal, cleanUpSignal: stop.signal });
  harness.ca.answerChallenge = answer;
  harness.records.cleanUp = cleanUp;
}
