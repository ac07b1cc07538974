// One standard SQS queue: messages that hide while somebody works on them, and move away when that fails too
// often.
import { createHash, randomUUID } from 'node:crypto';

/** A message attribute of type `String`. */
export type Attributes = Readonly<Record<string, string>>;

export interface QueueOptions {
  /** How long a received message hides; AWS's default is 30 s. */
  readonly visibilityTimeoutMs?: number;
  /** Where a message goes that would be received more often than `maxReceiveCount` times. */
  readonly redrive?: { readonly deadLetters: Queue; readonly maxReceiveCount: number };
}

/** A message as one receiver gets it. */
export interface Received {
  readonly id: string;
  readonly receipt: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly md5: string;
  readonly receiveCount: number;
  readonly sent: Date;
  readonly firstReceived: Date;
}

interface Message {
  readonly id: string;
  readonly body: string;
  readonly attributes: Attributes;
  readonly sent: Date;
  firstReceived: Date | undefined;
  visibleAt: number;
  receiveCount: number;
  receipt: string | undefined;
}

export class Queue {
  readonly name: string;
  readonly arn: string;
  readonly visibilityTimeoutMs: number;
  readonly redrive: QueueOptions['redrive'];
  readonly #messages: Message[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(name: string, { visibilityTimeoutMs = 30_000, redrive }: QueueOptions = {}) {
    this.name = name;
    this.arn = `arn:aws:sqs:eu-central-1:123456789012:${name}`;
    this.visibilityTimeoutMs = visibilityTimeoutMs;
    this.redrive = redrive;
  }

  /** Gives the message's id. */
  send(body: string, attributes: Attributes = {}, delayMs = 0): string {
    return this.#add(
      { id: randomUUID(), body, attributes, sent: new Date(), firstReceived: undefined },
      delayMs,
    );
  }

  /** At most `limit` visible messages, hidden from now on for the time given. */
  receive(limit: number, visibilityTimeoutMs = this.visibilityTimeoutMs): readonly Received[] {
    const now = Date.now();
    const received: Received[] = [];
    for (const message of this.#messages.filter(({ visibleAt }) => visibleAt <= now)) {
      if (received.length === limit) break;
      if (this.redrive && message.receiveCount >= this.redrive.maxReceiveCount) {
        this.#remove(message);
        this.redrive.deadLetters.#add(message, 0);
        continue;
      }
      const { id, body, attributes, sent } = message;
      message.receiveCount += 1;
      message.visibleAt = now + visibilityTimeoutMs;
      const receipt = randomUUID();
      message.receipt = receipt;
      message.firstReceived ??= new Date(now);
      const { receiveCount, firstReceived } = message;
      received.push({ id, receipt, body, attributes, md5: md5(body), receiveCount, sent, firstReceived });
    }
    return received;
  }

  /** Deletes the message received under that receipt; a receipt that is out of date deletes nothing. */
  delete(receipt: string): void {
    const message = this.#messages.find((candidate) => candidate.receipt === receipt);
    if (message) this.#remove(message);
  }

  /** `false` where no message is hidden under that receipt. */
  changeVisibility(receipt: string, ms: number): boolean {
    const message = this.#messages.find((candidate) => candidate.receipt === receipt);
    if (!message || message.visibleAt <= Date.now()) return false;
    message.visibleAt = Date.now() + ms;
    this.#notify();
    return true;
  }

  /** Messages that wait, and messages that somebody works on (or that are delayed). */
  count(): { readonly visible: number; readonly hidden: number } {
    const now = Date.now();
    const visible = this.#messages.filter(({ visibleAt }) => visibleAt <= now).length;
    return { visible, hidden: this.#messages.length - visible };
  }

  /** Bodies of all messages in the queue, oldest first. */
  bodies(): readonly string[] {
    return this.#messages.map(({ body }) => body);
  }

  /** Resolves when a message is visible, or the signal is aborted. */
  async untilVisible(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.count().visible === 0) await this.#untilChange(signal);
  }

  /** Resolves when no message is left, hidden ones included. */
  async untilEmpty(): Promise<void> {
    while (this.#messages.length > 0) await this.#untilChange(new AbortController().signal);
  }

  #add(
    message: Pick<Message, 'id' | 'body' | 'attributes' | 'sent' | 'firstReceived'>,
    delayMs: number,
  ): string {
    this.#messages.push({ ...message, visibleAt: Date.now() + delayMs, receiveCount: 0, receipt: undefined });
    this.#notify();
    return message.id;
  }

  #remove(message: Message): void {
    this.#messages.splice(this.#messages.indexOf(message), 1);
    this.#notify();
  }

  #notify(): void {
    for (const wake of this.#waiting) wake();
  }

  /** Until something is added, removed or becomes visible by itself. */
  #untilChange(signal: AbortSignal): Promise<void> {
    const next = Math.min(
      ...this.#messages.map(({ visibleAt }) => visibleAt).filter((at) => at > Date.now()),
    );
    return new Promise((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#waiting.delete(done);
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = Number.isFinite(next) ? setTimeout(done, next - Date.now() + 1) : undefined;
      this.#waiting.add(done);
      signal.addEventListener('abort', done, { once: true });
    });
  }
}

/** As SQS gives it, hex. */
export function md5(text: string): string {
  return createHash('md5').update(text).digest('hex');
}
