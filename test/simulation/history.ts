// What has happened in a simulation, as far as its rules ask: who changed what when, and which version is
// frozen.
import type { Freeze } from '../../lib/state/delivery.ts';
import type { SimulatedRun } from './scheduler.ts';

interface Touch {
  readonly at: number;
  readonly by: SimulatedRun | undefined;
}

/** The freeze of a certificate now. `epoch` counts how often it has changed. */
export interface KnownFreeze {
  readonly freeze: Freeze | undefined;
  readonly since: number;
  readonly epoch: number;
}

/** A certificate that came to a Secret for the first time. */
export interface KnownDelivery {
  /** `lab/shop-tls`. */
  readonly secret: string;
  readonly certificate: string;
  readonly at: Date;
}

/** What happened to Secrets, workloads and certificates, each by a key such as `lab/shop-tls`. */
export class History {
  /** In the order of time. */
  readonly deliveries: KnownDelivery[] = [];
  readonly #touches = new Map<string, Touch[]>();
  readonly #had = new Map<string, number>();
  readonly #held = new Map<string, number>();
  readonly #created = new Map<string, number>();
  readonly #freezes = new Map<string, KnownFreeze>();
  /** Ends of former freezes, by certificate and version. */
  readonly #ended = new Map<string, number>();

  /** Notes that a Secret got a certificate; whether it has had it before. */
  noteHad(secret: string, fingerprint: string): boolean {
    const key = `${secret} ${fingerprint}`;
    const times = (this.#had.get(key) ?? 0) + 1;
    this.#had.set(key, times);
    return times > 1;
  }

  /** Notes that a workload waits for a person. */
  noteHeld(workload: string, at: number): void {
    this.#held.set(workload, at);
  }

  /** Whether a workload has waited for a person since an instant. */
  wasHeld(workload: string, since: number): boolean {
    return (this.#held.get(workload) ?? -1) >= since;
  }

  /** Notes that a Secret came into being. */
  noteCreated(secret: string, at: number): void {
    this.#created.set(secret, at);
  }

  /** Whether it came into being since an instant. */
  wasCreated(secret: string, since: number): boolean {
    return (this.#created.get(secret) ?? -1) >= since;
  }

  /** Whether a Secret has lost a certificate and got it again. */
  hasHadTwice(secret: string, fingerprint: string): boolean {
    return (this.#had.get(`${secret} ${fingerprint}`) ?? 0) > 1;
  }

  /** Notes a change; `by` absent: a person. */
  touch(key: string, at: number, by: SimulatedRun | undefined): void {
    const touches = this.#touches.get(key) ?? [];
    touches.push({ at, by });
    this.#touches.set(key, touches);
  }

  /** Whether anybody but this invocation has changed it since an instant. */
  isTouched(key: string, since: number, except?: SimulatedRun): boolean {
    return (this.#touches.get(key) ?? []).some(({ at, by }) => at >= since && (!by || by !== except));
  }

  /** Notes the freeze on a certificate's tags; whether it is another one than before. */
  noteFreeze(certificate: string, freeze: Freeze | undefined, at: number): boolean {
    const before = this.freezeOf(certificate);
    if (before.freeze?.version === freeze?.version && before.freeze?.target === freeze?.target) return false;
    this.#freezes.set(certificate, { freeze, since: at, epoch: before.epoch + 1 });
    if (before.freeze) this.#ended.set(`${certificate} ${before.freeze.version}`, at);
    return true;
  }

  /** Notes that a version was taken back somewhere: what was marked before may be marked again. */
  noteRollback(certificate: string): void {
    const before = this.freezeOf(certificate);
    this.#freezes.set(certificate, { ...before, epoch: before.epoch + 1 });
  }

  /** Whether a version is frozen, or was at an instant. */
  wasFrozen(certificate: string, version: string, at: number): boolean {
    const isFrozen = this.freezeOf(certificate).freeze?.version === version;
    return isFrozen || (this.#ended.get(`${certificate} ${version}`) ?? 0) >= at;
  }

  /** The freeze of a certificate. */
  freezeOf(certificate: string): KnownFreeze {
    return this.#freezes.get(certificate) ?? { freeze: undefined, since: 0, epoch: 0 };
  }
}
